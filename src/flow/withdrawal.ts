/**
 * What Feishu tells of a user's tokens and of her leaving (FEISHU.md §3.4, §3.5). Written down before the event is
 * acknowledged: whatever throws here makes Feishu send it again. Events come late, repeated and in any order, and do not
 * say which consent they are about, so nothing is deleted on their word alone but the tokens of somebody who has left.
 */
import type { Logger } from 'pino';
import type { UserEvent, WithdrawalEvent } from '../domain/card-action.js';
import type { Grant } from '../domain/grant.js';
import type { FailureDetail } from '../domain/session.js';
import { AuthdError } from '../errors.js';
import type { GrantVault } from '../store/grant-vault.js';
import type { RefreshStore } from '../store/refresh-store.js';
import type { GrantEnds } from './grant-ends.js';
import type { Hints } from './hints.js';

/** Both resolve when what Feishu has told is durably recorded, and may be repeated. @throws when it is not */
export interface Withdrawals {
  /** Tokens were revoked: whether the grant still works is found out by a job (suspicion.ts). */
  reported(appId: string, event: WithdrawalEvent): Promise<void>;
  /** She is not in the company any more: her tokens go, and nobody writes to her. */
  left(appId: string, event: UserEvent): Promise<void>;
}

export interface WithdrawalDeps {
  readonly vault: Pick<GrantVault, 'look'>;
  readonly store: Pick<RefreshStore, 'suspect' | 'sent'>;
  readonly ends: Pick<GrantEnds, 'left'>;
  readonly hints: Hints;
  /** Has the grant verified now. */
  readonly lookNow: (appId: string, openId: string) => Promise<void>;
  readonly logger: Logger;
}

/** Feishu's clock and Redis's: an event so much older than the consent may still be about it. */
const CLOCK_DOUBT_MS = 60_000;
/** A refresh may replace the token set between reading and ending it, but not again and again. */
const MAX_TRIES = 5;
const LEFT: FailureDetail = {
  remedy: 'Feishu tells that the user has left the company. There is nothing to do.',
  for: 'operator',
};

type Ignored = 'no_grant' | 'older_than_consent' | 'ended_before';

export function createWithdrawals(deps: WithdrawalDeps): Withdrawals {
  const { ends, hints, logger, store, vault } = deps;

  const wordsOf = (appId: string, { eventId, openId, type }: UserEvent) => ({
    app_id: appId,
    open_id: openId,
    event_id: eventId,
    event_type: type,
  });
  const ignore = (appId: string, event: UserEvent, why: Ignored): void => {
    const fields = { event: 'grant.event_ignored', ...wordsOf(appId, event), why };
    logger.info(fields, 'An event of Feishu about a user changes nothing here');
  };

  return {
    async reported(appId, event) {
      const { marks, stored } = await vault.look(appId, event.openId);
      if (stored === null) return ignore(appId, event, 'no_grant');
      if (isOlder(event, stored.grant)) return ignore(appId, event, 'older_than_consent');
      if (marks.status === 'reauthorization_required') return ignore(appId, event, 'ended_before');
      if (!(await store.suspect(appId, event.openId))) return ignore(appId, event, 'no_grant');
      const fields = { event: 'grant.suspected', ...wordsOf(appId, event), token_types: event.tokenTypes };
      logger.info(fields, 'Feishu tells that tokens of this user were revoked; the grant is verified');
      hints.add(() => deps.lookNow(appId, event.openId));
    },

    async left(appId, event) {
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const { marks, stored } = await vault.look(appId, event.openId);
        if (stored === null) {
          if (marks.noticeAt !== null) await store.sent(appId, event.openId, 'notice');
          return ignore(appId, event, 'no_grant');
        }
        if (isOlder(event, stored.grant)) return ignore(appId, event, 'older_than_consent');
        const ref = { appId, openId: event.openId, generation: stored.generation };
        if ((await ends.left(ref, stored.grant, LEFT)) !== 'changed') return;
      }
      throw new AuthdError('upstream_unavailable', 'The grant changes all the time');
    },
  };
}

/** About a consent before the one that is stored. One without a time may be about this one. */
const isOlder = ({ createdAt }: UserEvent, { authorizedAt }: Grant): boolean =>
  createdAt !== null && createdAt < authorizedAt - CLOCK_DOUBT_MS;
