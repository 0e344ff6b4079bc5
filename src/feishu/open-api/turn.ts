/**
 * Waits for a call's turn in the shared budget, or says that there is none in time. Owns no limits and no log.
 */
import type { CallBudget, CallLimits, Turn } from '../../domain/call-budget.js';
import { FeishuError } from '../../domain/feishu-error.js';
import type { FeishuRequest } from '../../domain/feishu-exchange.js';

export interface TurnDeps {
  readonly budget: CallBudget;
  readonly clock: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/**
 * Resolves when the call may be sent, within `limits.maxWaitMs`.
 *
 * @throws FeishuError `rate_limited` when there is no turn in time, `transient` when the budget cannot be reached
 */
export async function takeTurn(
  deps: TurnDeps,
  request: Pick<FeishuRequest, 'api' | 'appId'>,
  limits: CallLimits,
): Promise<void> {
  const { budget, clock, random, sleep } = deps;
  const { api, appId } = request;
  const deadline = clock() + limits.maxWaitMs;
  for (;;) {
    const leftMs = Math.max(0, deadline - clock());
    const turn = await reach(api, () => budget.reserve({ ...limits, appId, api, maxWaitMs: leftMs }));
    if (turn.granted) return await waitFor(turn);
    // A little later than the moment all others are told as well.
    const retryAfterMs = Math.ceil(turn.retryAfterMs * (1 + 0.2 * random()));
    if (retryAfterMs > leftMs) throw noTurn(api, retryAfterMs);
    await sleep(retryAfterMs);
  }

  async function waitFor(turn: Turn & { readonly granted: true }): Promise<void> {
    if (turn.waitMs <= 0) return;
    await sleep(turn.waitMs);
    // Feishu may have asked for a pause while this call stood in the queue.
    const pausedMs = await reach(api, () => budget.pausedForMs(appId, api));
    if (pausedMs > 0) throw noTurn(api, Math.ceil(pausedMs * (1 + 0.2 * random())));
  }
}

async function reach<T>(api: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch {
    throw new FeishuError('transient', 'not sent: the shared call budget in Redis cannot be reached', {
      api,
      remedy: 'Check Redis: calls to Feishu wait until it answers again.',
    });
  }
}

export const noTurn = (api: string, retryAfterMs: number): FeishuError =>
  new FeishuError('rate_limited', `not sent: the call budget is used up for ${retryAfterMs} ms`, {
    api,
    retryAfterMs,
    meaning: 'retry',
  });
