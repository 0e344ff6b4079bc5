/**
 * How grants end: Feishu's final word, a withdrawal, a user who has left. Each end is one step in the store with the
 * card it owes in the same step; jobs send the cards. A mass of unexplained ends is not believed (invariant 3).
 */

import type { Logger } from 'pino';
import type { Grant } from '../domain/grant.js';
import type { FailureDetail } from '../domain/session.js';
import type { EndGrant, GrantRef, RefreshStore } from '../store/refresh-store.js';
import type { Hints } from './hints.js';

export type EndVerdict = 'ended' | 'changed' | 'braked';

export interface GrantEnds {
  /** Only a new consent helps: the user is asked again. */
  dead(ref: GrantRef, grant: Grant, detail: FailureDetail, explained: boolean): Promise<EndVerdict>;
  /** The user or an administrator took it back: she is told, not asked. */
  withdrawn(ref: GrantRef, grant: Grant, detail: FailureDetail): Promise<EndVerdict>;
  /** She is not there any more: nobody is told, the tokens go. */
  left(ref: GrantRef, grant: Grant, detail: FailureDetail): Promise<EndVerdict>;
}

export interface GrantEndsDeps {
  readonly store: Pick<RefreshStore, 'end' | 'keep'>;
  readonly hints: Hints;
  /** Makes the cards that are owed go out now. */
  readonly lookNow: (appId: string, openId: string) => Promise<void>;
  readonly logger: Logger;
}

/** A grant that the brake has kept is tried again after so long. */
const BRAKED_MS = 600_000;

export function createGrantEnds(deps: GrantEndsDeps): GrantEnds {
  const { hints, logger, store } = deps;

  const idsOf = ({ appId, openId }: GrantRef, detail: FailureDetail) => ({
    app_id: appId,
    open_id: openId,
    feishu_code: detail.feishu_code,
    log_id: detail.log_id,
  });

  const end = async (ref: GrantRef, { clientIds }: Grant, how: EndGrant, text: string): Promise<EndVerdict> => {
    const verdict = await store.end(ref, { ...how, clientIds });
    if (verdict !== 'ended') return verdict;
    const fields = { event: 'grant.ended', ...idsOf(ref, how.detail), status: how.status, client_ids: clientIds };
    logger.warn(fields, text);
    if (how.card !== null) hints.add(() => deps.lookNow(ref.appId, ref.openId));
    return verdict;
  };

  return {
    async dead(ref, grant, detail, explained) {
      const how = { status: 'reauthorization_required', detail, wipe: false, card: 'ask', explained } as const;
      const verdict = await end(ref, grant, how, 'A grant has ended for Feishu; the user is asked again');
      if (verdict === 'braked') {
        await store.keep(ref, { delayMs: BRAKED_MS, detail, suspended: true, unknown: false });
        logger.error(
          { event: 'grant.mass_loss', ...idsOf(ref, detail) },
          'Far more grants than usual would end within ten minutes: they are kept. Check the app in the console, the secret, the brand and Feishu',
        );
      }
      return verdict;
    },

    async withdrawn(ref, grant, detail) {
      const how = { status: 'revoked', detail, wipe: true, card: 'notice', explained: true } as const;
      return await end(ref, grant, how, 'The authorization was taken back; the user is told');
    },

    async left(ref, grant, detail) {
      const how = { status: 'revoked', detail, wipe: true, card: null, explained: true } as const;
      return await end(ref, grant, how, 'The user is not in the company any more; her tokens are gone');
    },
  };
}
