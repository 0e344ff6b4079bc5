/**
 * What the links in the chats are made of (`<base>:links`: grant, addresses, signing key), and having a chat show a
 * session anew when that has changed: links of the authorization code grant live as long as their session, so a wrong
 * redirect URI would stay on its card for as long.
 *
 * Errors: whatever ioredis throws when Redis does not answer.
 */
import type { Redis } from 'ioredis';
import { appOfSession } from '../domain/session-id.js';
import type { StoreKeys } from './keys.js';
import { redrawScript } from './scripts/showing.js';

export interface ShownLinks {
  /** null: nothing was noted yet. */
  madeOf(appId: string): Promise<string | null>;
  /** Every open session shows links that are made of this. */
  note(appId: string, madeOf: string): Promise<void>;
  /** What its message shows is not valid any more; it is shown again. False: it has ended. */
  redraw(sessionId: string): Promise<boolean>;
}

export function createShownLinks({ keys, redis }: { redis: Redis; keys: StoreKeys }): ShownLinks {
  const keyOf = (appId: string): string => `${keys.base(appId)}:links`;
  return {
    madeOf: (appId) => redis.get(keyOf(appId)),
    async note(appId, madeOf) {
      await redis.set(keyOf(appId), madeOf);
    },
    async redraw(sessionId) {
      const appId = appOfSession(sessionId);
      return appId !== null && (await redrawScript(redis, [keys.base(appId)], [sessionId])) === 1;
    },
  };
}
