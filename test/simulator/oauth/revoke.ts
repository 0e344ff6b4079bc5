/**
 * POST {accounts}/oauth/v1/revoke (RFC 7009 in Feishu's wording). Kills the token presented; what the real endpoint does
 * to its sibling, and whether it tells of it by an event, is not known: the settings say. Source: FEISHU.md §6.5.
 */
import type { Directory } from '../directory.js';
import type { EventStream } from '../event-stream.js';
import type { ApiRoute } from '../http/api.js';
import { fields, type Reply, text } from '../http/exchange.js';
import type { Settings } from '../options.js';
import type { People } from '../people.js';
import type { TokenBook } from './token-book.js';

const refused = (error: string): Reply => ({ status: 400, body: { error, error_description: error } });

export interface RevokeDeps {
  settings: Settings;
  directory: Directory;
  tokens: TokenBook;
  people: People;
  events: EventStream;
}

export function revokeRoute(deps: RevokeDeps): ApiRoute {
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
      const { emptyAnswer, event, sibling } = deps.settings.revoke;
      const user = deps.directory.users.get(found.userId);
      if (sibling === 'dies' && user) deps.tokens.revokeAll(app.appId, user, ['user_access_token', 'refresh_token']);
      if (event && user) deps.people.revoke(app.appId, { user, tokens: [], reason: 'Revoked by unknown action.' });
      return { status: 200, ...(emptyAnswer ? {} : { body: { code: 0 } }) };
    },
  };
}
