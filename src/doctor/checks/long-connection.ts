/**
 * The right to a long connection: the endpoint is asked once for an address (FEISHU.md §2.1). No socket is opened; the
 * address, which is a credential, is thrown away and ends by itself.
 */
import type { AppConfig, ProxyConfig } from '../../config/config.js';
import { cardCallbackPath } from '../../domain/http-callback.js';
import { type EndpointResult, pullEndpoint } from '../../feishu/long-connection/endpoint.js';
import type { ConnectFailure, FailureReason } from '../../feishu/long-connection/failures.js';
import { STEPS } from '../console.js';
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

export async function checkLongConnection(check: LongConnectionCheck): Promise<LongConnectionResult> {
  const { appId, cardCallback } = check.app;
  if (cardCallback === 'http') {
    const path = cardCallbackPath(appId);
    const means = text(
      `Not needed: clicks and events of the app come by HTTP, to …${path} of the callback server`,
      `不需要：该应用的点击和事件经 HTTP 送到回调服务器的 …${path}`,
    );
    return { finding: skip('long_connection', means, STEPS.callbackByHttp, { appId }), failure: null };
  }
  const result = await ask(check);
  if (result.ok) {
    const means = text('Feishu gives the app a long connection', '飞书允许该应用建立长连接');
    return { finding: pass('long_connection', means, { appId }), failure: null };
  }
  return { finding: failureFinding(result.failure, check), failure: result.failure };
}

function ask({ app, proxy, timeoutMs }: LongConnectionCheck): Promise<EndpointResult> {
  const request = {
    url: `${app.openBaseUrl}/callback/ws/endpoint`,
    headers: { locale: 'zh' },
    body: { AppID: app.appId, AppSecret: app.appSecret },
  };
  return pullEndpoint(request, { proxy, timeoutMs, signal: new AbortController().signal });
}

function failureFinding(failure: ConnectFailure, { app, explain }: LongConnectionCheck): Finding {
  const { errorCode, feishuCode, httpStatus, logId, reason } = failure;
  const facts = { appId: app.appId, feishuCode: feishuCode ?? null, logId: logId ?? null };
  const meaning = explain(reason, 'long_connection');
  const cause = meaning?.cause ?? text(failure.message, failure.message);
  const detail = errorCode ?? (httpStatus === undefined ? null : `HTTP ${httpStatus}`);
  const means = detail === null ? cause : text(`${cause.en} (${detail})`, `${cause.zh}（${detail}）`);
  if (PASSING.has(reason)) return warn('long_connection', means, RUN_AGAIN, facts);
  if (NETWORK.has(reason)) return fail('long_connection', 'network', means, CHECK_WAY, facts);
  return fail('long_connection', 'refused', means, meaning?.remedy ?? CHECK_WAY, facts);
}
