/**
 * Jobs that are only hints: they are added beside the answer, never awaited by it, and one that could not be added is
 * made by the reconciler. Bounded: beyond the bound hints are dropped, because then Redis is in trouble.
 */
import type { Logger } from 'pino';

export interface Hints {
  add(hint: () => Promise<void>): void;
  /** Resolves when all that were added have settled. */
  settled(): Promise<void>;
}

const MAX_IN_HAND = 5_000;

export function createHints(logger: Logger): Hints {
  const inHand = new Set<Promise<void>>();
  return {
    add(hint) {
      if (inHand.size >= MAX_IN_HAND) return;
      const task: Promise<void> = (async () => await hint())()
        .catch((error: unknown) => {
          logger.debug({ event: 'queue.hint_lost', err: error }, 'A job could not be added; the reconciler will');
        })
        .finally(() => inHand.delete(task));
      inHand.add(task);
    },
    async settled() {
      await Promise.all(inHand);
    },
  };
}
