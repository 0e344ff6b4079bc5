/**
 * POST {accounts}/oauth/v1/revoke (RFC 7009 in Feishu's wording). Kills the token presented and leaves its sibling:
 * what the real endpoint does to the sibling is not known. Source: FEISHU.md §6.5.
 */
import type { Directory } from '../directory.js';
import type { EventStream } from '../event-stream.js';
import type { ApiRoute } from '../http/api.js';
import { fields, type Reply, text } from '../http/exchange.js';
import type { TokenBook } from './token-book.js';

const refused = (error: string): Reply => ({ status: 400, body: { error, error_description: error } });

export function revokeRoute(deps: { directory: Directory; tokens: TokenBook; events: EventStream }): ApiRoute {
  return {
    api: 'revoke',
    method: 'POST',
    path: '/oauth/v1/revoke',
    subject: (exchange) => {
      const appId = text(fields(exchange), 'client_id');
      return appId === undefined ? {} : { appId };
    },
    handle: (exchange) => {
      const body = fields(exchange);
      const app = deps.directory.app(text(body, 'client_id'));
      if (!app || text(body, 'client_secret') !== app.appSecret) return refused('invalid_client');
      const presented = text(body, 'token') ?? '';
      const found = deps.tokens.access(presented) ?? deps.tokens.refresh(presented);
      if (!found || found.appId !== app.appId || found.revoked) return refused('invalid_token');
      found.revoked = true;
      deps.events.emit('revoked', { app_id: app.appId, user_id: found.userId });
      return { status: 200, body: { code: 0 } };
    },
  };
}
