/**
 * The scopes switched on for the app in the developer console, and for which kinds of token (FEISHU.md §9, application
 * scopes call). Feishu tells them to an app that has `application:application:self_manage`.
 */
import type { AppConfig } from '../../config/config.js';
import { TIER_4 } from '../../domain/call-budget.js';
import { objectOf, textOf } from '../../domain/json-fields.js';
import { incomplete, judgeReply } from './judge.js';
import type { TenantCall } from './tenant-call.js';

export interface EnabledScope {
  readonly scope: string;
  /** Good for calls in the name of a user. */
  readonly user: boolean;
  /** Good for calls in the app's own name. */
  readonly tenant: boolean;
}

export interface AppScopesDeps {
  readonly app: Pick<AppConfig, 'appId' | 'openBaseUrl'>;
  readonly tenantCall: TenantCall;
  readonly timeoutMs: number;
}

const CALL = { api: 'application.get', repeatable: true, codes: {} } as const;

/** @throws FeishuError; 99991672 when the app may not ask for its own scopes */
export async function readAppScopes({ app, tenantCall, timeoutMs }: AppScopesDeps): Promise<readonly EnabledScope[]> {
  const reply = await tenantCall({
    api: CALL.api,
    appId: app.appId,
    limits: { ...TIER_4, maxWaitMs: 0 },
    method: 'GET',
    url: `${app.openBaseUrl}/open-apis/application/v6/applications/${encodeURIComponent(app.appId)}?lang=zh_cn`,
    headers: {},
    body: null,
    timeoutMs,
    repeatable: CALL.repeatable,
  });
  const { scopes } = objectOf(objectOf(judgeReply(reply, CALL)['data'])['app']);
  if (!Array.isArray(scopes)) throw incomplete(reply, CALL, 'scopes');
  return scopes.flatMap((entry: unknown) => {
    const scope = textOf(objectOf(entry)['scope']);
    return scope === null ? [] : [{ scope, ...kindsOf(objectOf(entry)['token_types']) }];
  });
}

/** A scope without kinds counts as good for both: nothing is known against it. */
function kindsOf(types: unknown): Pick<EnabledScope, 'user' | 'tenant'> {
  if (!Array.isArray(types) || types.length === 0) return { user: true, tenant: true };
  return { user: types.includes('user'), tenant: types.includes('tenant') };
}
