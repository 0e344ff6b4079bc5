/**
 * Grants that are forgotten because somebody wants it: a client (`DELETE …/token`), or the user herself by the button on
 * her card. Here at once, at Feishu as far as Feishu takes it. A refresh that is under way brings nothing back: its
 * answer finds no grant, and what it has brought is discarded (refresh-outcome.ts).
 */
import type { Logger } from 'pino';
import type { StoredGrant } from '../domain/grant.js';
import { AuthdError } from '../errors.js';
import type { GrantVault } from '../store/grant-vault.js';
import type { RefreshStore } from '../store/refresh-store.js';
import type { Discard } from './discard.js';
import type { Hints } from './hints.js';

export interface Forget {
  /** Leaves nothing behind. */
  byClient(appId: string, openId: string, revokeAtFeishu: boolean): Promise<void>;
  /** Remembers that it was withdrawn and owes her the card that says so. False: there was nothing to withdraw. */
  byUser(appId: string, openId: string, sessionId: string): Promise<boolean>;
}

export interface ForgetDeps {
  readonly vault: Pick<GrantVault, 'read'>;
  readonly store: Pick<RefreshStore, 'forget'>;
  readonly discard: Discard;
  readonly hints: Hints;
  /** Makes the card that is owed go out now. */
  readonly lookNow: (appId: string, openId: string) => Promise<void>;
  /** Takes away the job that would have looked after the grant. */
  readonly dropJob: (appId: string, openId: string) => Promise<void>;
  readonly logger: Logger;
}

/** A refresh may replace the token set between reading and forgetting it, but not again and again. */
const MAX_TRIES = 5;

export function createForget(deps: ForgetDeps): Forget {
  const { hints, logger, store, vault } = deps;

  /** What was forgotten is what was read: else a token set that nobody knows would live on at Feishu. */
  const forget = async (appId: string, openId: string, revoked: boolean): Promise<StoredGrant | null> => {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const stored = await vault.read(appId, openId);
      if (stored === null) {
        if (!revoked) await store.forget(appId, openId, false);
        return null;
      }
      const { generation, grant } = stored;
      if (await store.forget(appId, openId, revoked, { generation, clientIds: grant.clientIds })) return stored;
    }
    throw new AuthdError('upstream_unavailable', 'The grant changes all the time', {
      remedy: 'Repeat the call.',
      retryAfterSeconds: 1,
    });
  };

  return {
    async byClient(appId, openId, revokeAtFeishu) {
      const stored = await forget(appId, openId, false);
      hints.add(() => deps.dropJob(appId, openId));
      if (revokeAtFeishu && stored !== null) deps.discard(appId, openId, stored.grant);
    },

    async byUser(appId, openId, sessionId) {
      const stored = await forget(appId, openId, true);
      if (stored === null) return false;
      const ids = { session_id: sessionId, app_id: appId, open_id: openId, client_ids: stored.grant.clientIds };
      logger.info({ event: 'grant.withdrawn', ...ids }, 'The user has withdrawn her authorization on the card');
      deps.discard(appId, openId, stored.grant);
      hints.add(() => deps.lookNow(appId, openId));
      return true;
    },
  };
}
