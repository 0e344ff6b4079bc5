/**
 * Queue `token-refresh`: looks after one grant that is due. Refreshes it, asks its user again, sends the card an ended
 * one owes, or finds that there is nothing to do; and says when to look again. Every step may be repeated.
 */

import type { Logger } from 'pino';
import type { GrantView } from '../domain/grant.js';
import { DONE, type Processor } from '../domain/job.js';
import { planRefresh, type RefreshPolicy } from '../domain/refresh-plan.js';
import type { AskAgain } from '../flow/ask-again.js';
import type { Refresh } from '../flow/refresh.js';
import type { GrantVault } from '../store/grant-vault.js';
import type { RefreshStore } from '../store/refresh-store.js';

export interface TokenRefreshDeps {
  readonly vault: Pick<GrantVault, 'look'>;
  readonly store: Pick<RefreshStore, 'lookAt' | 'sent'>;
  readonly refresh: Pick<Refresh, 'run'>;
  readonly askAgain: AskAgain;
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
    await store.lookAt(appId, openId, null);
  };

  const lookAfter = async (appId: string, openId: string): Promise<void> => {
    const view = await deps.vault.look(appId, openId);
    const { marks, now, stored } = view;
    const isOver = marks.status === 'reauthorization_required' || marks.status === 'revoked';
    if (stored === null || isOver) return await owed(appId, openId, view);
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
