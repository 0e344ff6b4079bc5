/**
 * GET authen/v1/user_info: whose token this is. Source: FEISHU.md §6.4.
 */
import type { Directory } from '../directory.js';
import type { ApiRoute } from '../http/api.js';
import { bearer, type Exchange, ok, type Reply } from '../http/exchange.js';
import { openApiError } from '../http/refusals.js';
import type { TokenBook } from '../oauth/token-book.js';
import type { Settings } from '../options.js';

export function userInfoRoute(deps: { settings: Settings; directory: Directory; tokens: TokenBook }): ApiRoute {
  return {
    api: 'user_info',
    method: 'GET',
    path: '/open-apis/authen/v1/user_info',
    subject: (exchange) => {
      const access = deps.tokens.access(bearer(exchange) ?? '');
      return access ? { appId: access.appId, openId: access.openId } : {};
    },
    // The errors of this API's own range come as HTTP 200, the server error as 500.
    fail: (code, msg) =>
      code >= 20000 && code < 30000
        ? { status: code === 20050 ? 500 : 200, body: { code, msg: msg ?? 'refused' } }
        : openApiError(code, msg),
    handle: (exchange) => userInfo(deps, exchange),
  };
}

function userInfo(deps: { settings: Settings; directory: Directory; tokens: TokenBook }, exchange: Exchange): Reply {
  const token = bearer(exchange);
  if (token === undefined) return openApiError(99991661, 'Missing access token for authorization');
  if (token.startsWith('t-')) return openApiError(99991663, 'Invalid access token for authorization');
  if (!token.startsWith('eyJ')) return openApiError(99991671, 'Invalid access token: must start with "t-" or "u-"');
  const access = deps.tokens.access(token);
  if (!access || access.revoked) return ok({ code: 20005, msg: 'The user access token passed is invalid.' });
  if (access.expiresAt <= deps.settings.now()) return openApiError(99991677, 'Authentication token expired', 401);
  const user = deps.directory.users.get(access.userId);
  if (!user) return ok({ code: 20008, msg: 'User not exist' });
  if (user.state === 'resigned') return ok({ code: 20021, msg: 'User resigned' });
  if (user.state === 'frozen') return ok({ code: 20022, msg: 'User frozen' });
  const avatar = 'https://example.com/avatar.png';
  return ok({
    code: 0,
    msg: 'success',
    data: {
      name: user.name,
      en_name: user.name,
      avatar_url: avatar,
      avatar_thumb: avatar,
      avatar_middle: avatar,
      avatar_big: avatar,
      open_id: access.openId,
      union_id: user.unionId,
      tenant_key: deps.directory.tenantKey,
    },
  });
}
