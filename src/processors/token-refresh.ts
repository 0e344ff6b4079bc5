/**
 * Queue `token-refresh`: looks after one grant that is due. Verifies one that Feishu has cast doubt on, refreshes it,
 * asks its user again, sends the card an ended one owes, or finds that there is nothing to do; and says when to look
 * again. Every step may be repeated.
 */

import type { Logger } from 'pino';
import type { GrantView } from '../domain/grant.js';
import { DONE, type Processor } from '../domain/job.js';
import { planRefresh, type RefreshPolicy } from '../domain/refresh-plan.js';
import type { AskAgain } from '../flow/ask-again.js';
import type { Refresh } from '../flow/refresh.js';
import type { Suspect, Verified } from '../flow/suspicion.js';
import type { GrantVault } from '../store/grant-vault.js';
import type { RefreshStore } from '../store/refresh-store.js';
import type { TellWithdrawn } from './withdrawn-card.js';

export interface TokenRefreshDeps {
  readonly vault: Pick<GrantVault, 'look'>;
  readonly store: Pick<RefreshStore, 'lookAt' | 'sent'>;
  readonly refresh: Pick<Refresh, 'run'>;
  readonly verify: (suspect: Suspect) => Promise<Verified>;
  readonly askAgain: AskAgain;
  readonly tellWithdrawn: TellWithdrawn;
  readonly policy: RefreshPolicy;
  readonly random: () => number;
  readonly logger: Logger;
}

const ASK_LATER_MS = 600_000;

export function createTokenRefreshProcessor(deps: TokenRefreshDeps): Processor {
  const { store } = deps;

  /** The card of a grant that has ended. */
  const owed = async (appId: string, openId: string, { marks, now, stored }: GrantView): Promise<void> => {
    // Somebody has brought a new consent meanwhile.
    if (stored !== null && (marks.status === null || marks.status === 'suspended')) return;
    if (marks.ask && stored !== null) {
      const asked = await deps.askAgain(appId, openId, stored.grant, 'ended');
      if (asked === 'later') return await store.lookAt(appId, openId, now + ASK_LATER_MS);
      await store.sent(appId, openId, 'ask');
    }
    if (marks.noticeAt !== null) {
      const told = await deps.tellWithdrawn({ appId, openId, clientIds: marks.clientIds, at: marks.noticeAt, now });
      if (told.kind === 'later') return await store.lookAt(appId, openId, now + told.retryAfterMs);
      await store.sent(appId, openId, 'notice');
    }
    await store.lookAt(appId, openId, null);
  };

  /** The grant as it is after it was verified; null: not now. */
  const verified = async (appId: string, openId: string, view: GrantView): Promise<GrantView | null> => {
    const { marks, now, stored } = view;
    if (stored === null || marks.suspectAt === null || isOver(view)) return view;
    const verdict = await deps.verify({ appId, openId, now, stored, marks });
    const after = await deps.vault.look(appId, openId);
    if (verdict.kind !== 'later') return after;
    await store.lookAt(appId, openId, after.now + verdict.retryAfterMs);
    return null;
  };

  const lookAfter = async (appId: string, openId: string): Promise<void> => {
    const view = await verified(appId, openId, await deps.vault.look(appId, openId));
    if (view === null) return;
    const { marks, now, stored } = view;
    if (stored === null || isOver(view)) return await owed(appId, openId, view);
    const plan = planRefresh({ ...stored.grant, ...marks }, deps.policy, now, deps.random);
    if (plan.ask) {
      const asked = await deps.askAgain(appId, openId, stored.grant, 'ends soon');
      if (asked !== 'later') await store.sent(appId, openId, 'ask');
    }
    if (!plan.refresh) return await store.lookAt(appId, openId, plan.nextAt);
    const outcome = await deps.refresh.run({ appId, openId, seen: stored.generation, force: false });
    if (outcome.kind === 'over') return await owed(appId, openId, await deps.vault.look(appId, openId));
    // Otherwise the store has said in the same step when it is due next.
    if (outcome.kind === 'kept' && !outcome.asked) await store.lookAt(appId, openId, now + outcome.retryAfterMs);
  };

  return async (job) => {
    const { app_id: appId, open_id: openId } = job.data;
    if (typeof appId === 'string' && typeof openId === 'string') await lookAfter(appId, openId);
    return DONE;
  };
}

const isOver = ({ marks }: GrantView): boolean =>
  marks.status === 'reauthorization_required' || marks.status === 'revoked';
