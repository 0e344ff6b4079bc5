/**
 * The answer of the token endpoint when it gives tokens, the same for all grants. Source: FEISHU.md §6.2.
 */
import type { EventStream } from '../event-stream.js';
import { ok, type Reply } from '../http/exchange.js';
import type { Settings } from '../options.js';
import type { TokenSet } from './token-book.js';

export function tokenAnswer(
  deps: { settings: Settings; events: EventStream },
  { access, refresh }: TokenSet,
  grant: 'device_code' | 'refresh_token' | 'authorization_code',
): Reply {
  const now = deps.settings.now();
  const seconds = (until: number): number => Math.round((until - now) / 1000);
  deps.events.emit('token', { app_id: access.appId, user_id: access.userId, grant, generation: refresh?.generation });
  return ok({
    code: 0,
    access_token: access.token,
    expires_in: seconds(access.expiresAt),
    ...(refresh ? { refresh_token: refresh.token, refresh_token_expires_in: seconds(refresh.expiresAt) } : {}),
    token_type: 'Bearer',
    scope: access.scopes.join(' '),
  });
}
