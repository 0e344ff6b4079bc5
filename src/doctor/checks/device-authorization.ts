/**
 * Device authorization with every scope that users may be asked for (FEISHU.md §6.3). Codes that are made this way are
 * shown to nobody and end by themselves. When Feishu refuses a list of scopes, each is tried alone: its answer does not
 * say which one it means.
 */
import type { AppConfig } from '../../config/config.js';
import type { FeishuExchange, FeishuReply } from '../../domain/feishu-exchange.js';
import { withOfflineAccess } from '../../domain/scopes.js';
import { errorName } from '../../oauth/answer.js';
import { createAuthorizationServer } from '../../oauth/authorization-server.js';
import { STEPS } from '../console.js';
import { byAuthorizationCode, either } from '../fallbacks.js';
import { type Finding, fail, pass, skip, text, warn } from '../finding.js';
import type { Explain } from '../meanings.js';
import { CHECK_WAY, RUN_AGAIN, refusal } from '../refusals.js';

export interface DeviceAuthorizationCheck {
  readonly app: AppConfig;
  readonly wanted: readonly string[];
  readonly exchange: FeishuExchange;
  readonly explain: Explain;
  readonly timeoutMs: number;
  readonly oauthRedirectUri: string | null;
}

/** With offline_access the consent page takes 50 (FEISHU.md §6.1). */
const BATCH = 49;
/** Single scopes tried side by side; Feishu allows 50 calls a second. */
const SIDE_BY_SIDE = 5;
/** Of single tries in all: the guess at the culprit is a service, not the check. */
const MOST_TRIES = 50;

type Attempt =
  | { readonly kind: 'ok' }
  | { readonly kind: 'refused'; readonly code: string | null; readonly reply: FeishuReply }
  | { readonly kind: 'no_answer'; readonly reply: FeishuReply | null };

/** What says that the app, its tenant or its cloud has no device grant; of the first two a wrong secret is likelier. */
const NO_DEVICE_GRANT: ReadonlySet<string> = new Set([
  'invalid_client',
  '20002',
  'unauthorized_client',
  'unsupported_grant_type',
  '20036',
  'access_denied',
]);
/** The endpoint is not there. */
const NO_ENDPOINT: ReadonlySet<number> = new Set([404, 405, 410, 501]);

/** An app that gets its consents by codes. */
export function deviceGrantUnused({ appId }: Pick<AppConfig, 'appId'>): Finding {
  const means = text(
    'Not needed: the app gets consents by AUTH_GRANT=authorization_code (see Redirect URI)',
    '不需要：该应用使用 AUTH_GRANT=authorization_code（见「重定向 URL」）',
  );
  return skip('device_authorization', means, null, { appId });
}

export async function checkDeviceAuthorization(check: DeviceAuthorizationCheck): Promise<Finding> {
  const { app, wanted } = check;
  for (const scopes of batchesOf(wanted)) {
    const attempt = await tryScopes(check, withOfflineAccess(scopes));
    if (attempt.kind !== 'ok') return await failed(check, attempt, scopes);
  }
  const means = text(
    `Feishu makes consent links for all ${wanted.length} scopes`,
    `飞书可以为全部 ${wanted.length} 项权限生成授权链接`,
  );
  return pass('device_authorization', means, { appId: app.appId });
}

function batchesOf(scopes: readonly string[]): readonly (readonly string[])[] {
  const count = Math.max(1, Math.ceil(scopes.length / BATCH));
  return Array.from({ length: count }, (_, index) => scopes.slice(index * BATCH, (index + 1) * BATCH));
}

async function tryScopes(check: DeviceAuthorizationCheck, scopes: readonly string[]): Promise<Attempt> {
  const { app, timeoutMs } = check;
  // The judge's answer leaves out what Feishu called it.
  const seen: { reply: FeishuReply | null } = { reply: null };
  const exchange: FeishuExchange = async (request) => {
    seen.reply = await check.exchange(request);
    return seen.reply;
  };
  const answer = await createAuthorizationServer({ exchange }).requestDeviceCode({ app, scopes, timeoutMs });
  const { reply } = seen;
  if (answer.kind === 'ok') return { kind: 'ok' };
  if (answer.kind === 'transient' || reply === null) return { kind: 'no_answer', reply };
  return { kind: 'refused', code: reply.code === null ? errorName(reply) : String(reply.code), reply };
}

async function failed(
  check: DeviceAuthorizationCheck,
  attempt: Attempt & { readonly kind: 'refused' | 'no_answer' },
  scopes: readonly string[],
): Promise<Finding> {
  const facts = {
    appId: check.app.appId,
    feishuCode: attempt.reply?.code ?? null,
    logId: attempt.reply?.logId ?? null,
  };
  if (attempt.kind === 'no_answer') {
    const name = attempt.reply?.code ?? (attempt.reply === null ? null : `HTTP ${attempt.reply.status}`);
    if (attempt.reply !== null && (attempt.reply.rateLimited || attempt.reply.code !== null)) {
      const busy = text(`Cannot be told now: Feishu is busy (${name})`, `现在无法判断：飞书繁忙（${name}）`);
      return warn('device_authorization', busy, RUN_AGAIN, facts);
    }
    if (attempt.reply !== null && NO_ENDPOINT.has(attempt.reply.status)) {
      const absent = text(
        `There is no device authorization at this host (${name})`,
        `该域名没有设备授权接口（${name}）`,
      );
      return fail('device_authorization', 'refused', absent, either(CHECK_WAY, byAuthorizationCode(check)), facts);
    }
    const [en, zh] = name === null ? ['', ''] : [` (${name})`, `（${name}）`];
    const none = text(`The authorization server gave no usable answer${en}`, `授权服务器没有给出可用的回答${zh}`);
    return fail('device_authorization', 'network', none, CHECK_WAY, facts);
  }
  const finding = refusal(
    'device_authorization',
    attempt.code,
    { explain: check.explain, places: ['token_endpoint', 'any_api'] },
    facts,
  );
  if (attempt.code !== null && NO_DEVICE_GRANT.has(attempt.code) && finding.remedy !== null) {
    return { ...finding, remedy: either(finding.remedy, byAuthorizationCode(check)) };
  }
  const culprits = isAboutScopes(attempt) ? await culpritsOf(check, scopes) : [];
  if (culprits.length === 0) return finding;
  const list = culprits.join(' ');
  return {
    ...finding,
    means: text(`${finding.means.en}: ${list}`, `${finding.means.zh}：${list}`),
    remedy: STEPS.userScopes,
  };
}

const isAboutScopes = ({ code, reply }: Attempt & { readonly kind: 'refused' }): boolean =>
  code === '20027' || errorName(reply) === 'invalid_scope';

/** Those that are refused alone as well; none when that tells nothing. */
async function culpritsOf(check: DeviceAuthorizationCheck, scopes: readonly string[]): Promise<readonly string[]> {
  const culprits: string[] = [];
  const tried = scopes.slice(0, MOST_TRIES);
  for (let from = 0; from < tried.length; from += SIDE_BY_SIDE) {
    const group = tried.slice(from, from + SIDE_BY_SIDE);
    const attempts = await Promise.all(group.map((scope) => tryScopes(check, [scope])));
    if (attempts.some(({ kind }) => kind === 'no_answer')) return [];
    culprits.push(...group.filter((_, index) => attempts[index]?.kind === 'refused'));
  }
  return culprits;
}
