/**
 * tenant_access_token: the endpoint that issues it and the check every bot call makes. The same token comes back while at
 * least a quarter of its life (30 min of 2 h) remains. Source: FEISHU.md §4.1, §7.
 */
import type { App, Directory } from '../directory.js';
import type { ApiRoute } from '../http/api.js';
import { bearer, type Exchange, jsonBody, ok, type Reply, text } from '../http/exchange.js';
import { openApiError } from '../http/refusals.js';
import type { Settings } from '../options.js';
import { randomText, type SecretBook } from '../secret-book.js';

interface TenantToken {
  appId: string;
  token: string;
  expiresAt: number;
}

export class TenantTokens {
  readonly #byToken = new Map<string, TenantToken>();
  readonly #current = new Map<string, TenantToken>();
  readonly #deps: { settings: Settings; secrets: SecretBook; directory: Directory };

  constructor(deps: { settings: Settings; secrets: SecretBook; directory: Directory }) {
    this.#deps = deps;
  }

  issue(appId: string): TenantToken {
    const { settings, secrets } = this.#deps;
    const lifeMs = settings.tenantTokenLifeSeconds * 1000;
    const current = this.#current.get(appId);
    if (current && current.expiresAt - settings.now() >= lifeMs / 4) return current;
    const token = secrets.keep('tenant_access_token', `t-${randomText(40)}`);
    const issued = { appId, token, expiresAt: settings.now() + lifeMs };
    this.#byToken.set(token, issued);
    this.#current.set(appId, issued);
    return issued;
  }

  /** Makes every tenant token of an app invalid now (99991663 until a new one is fetched). */
  revoke(appId: string): void {
    this.#current.delete(appId);
    for (const [token, issued] of this.#byToken) if (issued.appId === appId) this.#byToken.delete(token);
  }

  /** The app a call speaks for, without judging: for faults and limits. */
  appOf(exchange: Exchange): string | undefined {
    return this.#byToken.get(bearer(exchange) ?? '')?.appId;
  }

  /** The app a call may speak for, or the refusal. */
  authenticate(exchange: Exchange): App | Reply {
    const token = bearer(exchange);
    if (token === undefined) return openApiError(99991661, 'Missing access token for authorization');
    const issued = this.#byToken.get(token);
    if (!issued || issued.expiresAt <= this.#deps.settings.now()) {
      if (token.startsWith('eyJ')) return openApiError(99991668, 'user access token not support');
      return openApiError(99991663, 'Invalid access token for authorization');
    }
    const app = this.#deps.directory.app(issued.appId);
    if (!app || app.disabled) return openApiError(99991673, 'app is not available in this tenant');
    if (!app.ipAllowed) return openApiError(99991401, 'ip is not in the white list');
    return app;
  }
}

export const isReply = (value: object): value is Reply => 'status' in value;

export function tenantTokenRoute(deps: { settings: Settings; directory: Directory; tokens: TenantTokens }): ApiRoute {
  return {
    api: 'tenant_access_token',
    method: 'POST',
    path: '/open-apis/auth/v3/tenant_access_token/internal',
    subject: (exchange) => {
      const appId = text(jsonBody(exchange), 'app_id');
      return appId === undefined ? {} : { appId };
    },
    fail: (code, msg) => ok({ code, msg: msg ?? 'refused' }),
    handle: (exchange) => {
      const body = jsonBody(exchange);
      const [appId, secret] = [text(body, 'app_id'), text(body, 'app_secret')];
      const app = deps.directory.app(appId);
      // Credentials belong to one brand: the other one does not know the app (FEISHU.md §1).
      const isOurs = app?.brand === deps.settings.brand;
      if (appId === undefined || secret === undefined || !isOurs) return ok({ code: 10003, msg: 'invalid param' });
      if (secret !== app.appSecret || app.disabled) return ok({ code: 10014, msg: 'app secret invalid' });
      const { token, expiresAt } = deps.tokens.issue(appId);
      const expire = Math.floor((expiresAt - deps.settings.now()) / 1000);
      return ok({ code: 0, msg: 'ok', tenant_access_token: token, expire });
    },
  };
}
