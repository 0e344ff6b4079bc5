/**
 * The right to a long connection: the endpoint is asked once for an address (FEISHU.md §2.1), and the host in it whether
 * it can be reached. No WebSocket is opened; the address, which is a credential, is thrown away and ends by itself.
 */
import type { AppConfig, ProxyConfig } from '../../config/config.js';
import { cardCallbackPath } from '../../domain/http-callback.js';
import type { HostProbe } from '../../feishu/host-probe.js';
import { type EndpointResult, pullEndpoint } from '../../feishu/long-connection/endpoint.js';
import type { ConnectFailure, FailureReason } from '../../feishu/long-connection/failures.js';
import { cardCallbackAddress } from '../callback-addresses.js';
import { callbackByHttp } from '../console.js';
import { byHttpCallbacks, either } from '../fallbacks.js';
import { type Finding, fail, pass, skip, text, warn } from '../finding.js';
import type { Explain } from '../meanings.js';
import { CHECK_WAY, RUN_AGAIN } from '../refusals.js';

export interface LongConnectionResult {
  readonly finding: Finding;
  /** null: Feishu gives one. */
  readonly failure: ConnectFailure | null;
}

export interface LongConnectionCheck {
  readonly app: Pick<AppConfig, 'appId' | 'appSecret' | 'openBaseUrl' | 'cardCallback'>;
  readonly proxy: ProxyConfig;
  readonly oauthRedirectUri: string | null;
  /** Whether one of the network's hosts can be reached, the way the daemon goes there. */
  readonly probe: (url: string) => Promise<HostProbe>;
  readonly explain: Explain;
  readonly timeoutMs: number;
}

/** They pass by themselves, and say nothing about the app. */
const PASSING: ReadonlySet<FailureReason> = new Set(['busy', 'internal', 'rate_limited']);
/** Whoever is on the way has answered, or nobody. */
const NETWORK: ReadonlySet<FailureReason> = new Set([
  'http_status',
  'not_json',
  'bad_answer',
  'dns',
  'unreachable',
  'tls',
  'proxy',
  'endpoint_timeout',
]);

/** Perhaps no fault of the app's settings: not every app gets a long connection (FEISHU.md §10 no. 14). */
const NO_RIGHT: ReadonlySet<FailureReason> = new Set(['forbidden', 'refused', 'connection_limit']);
const NO_CONNECTION: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export async function checkLongConnection(check: LongConnectionCheck): Promise<LongConnectionResult> {
  const { appId, cardCallback } = check.app;
  if (cardCallback === 'http') {
    const path = cardCallbackPath(appId);
    const means = text(
      `Not needed: clicks and events of the app come by HTTP, to …${path} of the callback server`,
      `不需要：该应用的点击和事件经 HTTP 送到回调服务器的 …${path}`,
    );
    const { shown } = cardCallbackAddress(check, appId);
    return { finding: skip('long_connection', means, callbackByHttp(shown), { appId }), failure: null };
  }
  const result = await ask(check);
  if (!result.ok) return { finding: failureFinding(result.failure, check), failure: result.failure };
  const gateway = new URL(result.url.replace(/^ws/, 'http')).origin;
  const blocked = (await check.probe(gateway)).failure;
  if (blocked !== null && isCertain(blocked)) {
    return { finding: blockedFinding(gateway, blocked, check), failure: null };
  }
  const means = text('Feishu gives the app a long connection', '飞书允许该应用建立长连接');
  return { finding: pass('long_connection', means, { appId }), failure: null };
}

/** That nothing is said to a plain request is no proof: the gateway is there for WebSockets. */
const isCertain = ({ errorCode, reason }: ConnectFailure): boolean =>
  reason === 'dns' || reason === 'tls' || reason === 'proxy' || NO_CONNECTION.has(errorCode ?? '');

/** The endpoint was reached by HTTPS, so it is not the network as a whole. */
function blockedFinding(gateway: string, failure: ConnectFailure, check: LongConnectionCheck): Finding {
  const { appId } = check.app;
  const { host } = new URL(gateway);
  const code = failure.errorCode ?? (failure.httpStatus === undefined ? failure.reason : `HTTP ${failure.httpStatus}`);
  const means = text(
    `Feishu gives the app a long connection, but the network does not let it through to ${host} (${code})`,
    `飞书允许该应用建立长连接，但网络不放行到 ${host} 的连接（${code}）`,
  );
  const remedy = text(
    `Let firewall and proxy pass wss://${host} (its name may change: *.feishu.cn, *.larksuite.com).`,
    `请让防火墙和代理放行 wss://${host}（域名可能变化：*.feishu.cn、*.larksuite.com）。`,
  );
  return fail('long_connection', 'network', means, either(remedy, byHttpCallbacks(check, appId)), { appId });
}

function ask({ app, proxy, timeoutMs }: LongConnectionCheck): Promise<EndpointResult> {
  const request = {
    url: `${app.openBaseUrl}/callback/ws/endpoint`,
    headers: { locale: 'zh' },
    body: { AppID: app.appId, AppSecret: app.appSecret },
  };
  return pullEndpoint(request, { proxy, timeoutMs, signal: new AbortController().signal });
}

function failureFinding(failure: ConnectFailure, check: LongConnectionCheck): Finding {
  const { app, explain } = check;
  const { errorCode, feishuCode, httpStatus, logId, reason } = failure;
  const facts = { appId: app.appId, feishuCode: feishuCode ?? null, logId: logId ?? null };
  const meaning = explain(reason, 'long_connection');
  const cause = meaning?.cause ?? text(failure.message, failure.message);
  const detail = errorCode ?? (httpStatus === undefined ? null : `HTTP ${httpStatus}`);
  const means = detail === null ? cause : text(`${cause.en} (${detail})`, `${cause.zh}（${detail}）`);
  const fallback = byHttpCallbacks(check, app.appId);
  if (reason === 'internal') return warn('long_connection', means, either(RUN_AGAIN, fallback), facts);
  if (PASSING.has(reason)) return warn('long_connection', means, RUN_AGAIN, facts);
  if (NETWORK.has(reason)) return fail('long_connection', 'network', means, CHECK_WAY, facts);
  const remedy = meaning?.remedy ?? CHECK_WAY;
  const noRight = NO_RIGHT.has(reason);
  return fail('long_connection', 'refused', means, noRight ? either(remedy, fallback) : remedy, facts);
}
