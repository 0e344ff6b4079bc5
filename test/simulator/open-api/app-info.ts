/**
 * GET application/v6/applications/:app_id: the app's name and the scopes enabled in the console with the kinds of token
 * they are good for. The app needs a tenant scope to ask. Source: FEISHU.md §9.
 */
import type { ApiRoute } from '../http/api.js';
import { ok } from '../http/exchange.js';
import { lacksScope, openApiError } from '../http/refusals.js';
import { isReply, type TenantTokens } from './tenant-tokens.js';

const NEEDED = 'application:application:self_manage';

export function appInfoRoute(deps: { tokens: TenantTokens }): ApiRoute {
  return {
    api: 'app_info',
    method: 'GET',
    path: '/open-apis/application/v6/applications/:app_id',
    subject: (exchange) => {
      const appId = deps.tokens.appOf(exchange);
      return appId === undefined ? {} : { appId };
    },
    handle: (exchange) => {
      const app = deps.tokens.authenticate(exchange);
      if (isReply(app)) return app;
      const wanted = exchange.params['app_id'];
      if (wanted !== app.appId && wanted !== 'me') return openApiError(210505, 'no permission for this app');
      if (!app.tenantScopes.has(NEEDED)) return lacksScope([NEEDED]);
      const scopes = [...new Set([...(app.enabledScopes ?? []), ...app.tenantScopes])].map((scope) => ({
        scope,
        description: scope,
        level: 1,
        token_types: [
          ...(app.enabledScopes?.has(scope) === true ? ['user'] : []),
          ...(app.tenantScopes.has(scope) ? ['tenant'] : []),
        ],
      }));
      return ok({
        code: 0,
        msg: 'success',
        data: { app: { app_id: app.appId, app_name: app.name, status: 1, scopes } },
      });
    },
  };
}
