/**
 * How long to wait before the next attempt. Owns the counters, no timer.
 *
 * Backoff: the first try after a drop comes within a second (CONTRACT: reconnection starts within 1 s), then
 * base, 2·base, 4·base … max. The jitter only shortens, by at most a quarter, so the pauses never shrink on the way to
 * the cap and two processes still drift apart. Only `reset` starts over, and the caller calls it on proof (a minute of
 * life), not on hope: a connection that lives for 100 ms must not hide a storm (FAILURES A-reconnect-storm).
 */
import type { ConnectFailure } from './failures.js';
import type { LongConnectionTimings } from './timings.js';

const SOON_MS = 1_000;
const LONGEST_ASKED_PAUSE_MS = 300_000;

export interface Pace {
  /** Milliseconds to wait after this failure. */
  next(failure: Pick<ConnectFailure, 'retry' | 'retryAfterMs'>): number;
  reset(): void;
  /** Failures since the last reset. */
  readonly failures: number;
}

type PaceTimings = Pick<
  LongConnectionTimings,
  'reconnectBaseMs' | 'reconnectMaxMs' | 'refusedBaseMs' | 'refusedMaxMs' | 'limitRetryMs'
>;

export function createPace(timings: PaceTimings, random: () => number): Pace {
  let failures = 0;
  let refusals = 0;

  const shorten = (ms: number): number => ms * (1 - 0.25 * random());
  const backoff = (): number => {
    const { reconnectBaseMs: base, reconnectMaxMs: max } = timings;
    if (failures === 0) return Math.min(base, max, SOON_MS) * 0.7 * random();
    return shorten(Math.min(max, base * 2 ** (failures - 1)));
  };
  const byKind = (retry: ConnectFailure['retry']): number => {
    if (retry === 'limit') return shorten(timings.limitRetryMs);
    if (retry === 'backoff') return backoff();
    return Math.max(backoff(), shorten(Math.min(timings.refusedMaxMs, timings.refusedBaseMs * 2 ** refusals)));
  };

  return {
    next({ retry, retryAfterMs = 0 }) {
      const own = byKind(retry);
      failures += 1;
      refusals = retry === 'slow' ? refusals + 1 : 0;
      // The asked pause is stretched, not shortened: all who were told the same moment must not come at that moment.
      return Math.max(own, Math.min(retryAfterMs, LONGEST_ASKED_PAUSE_MS) * (1 + 0.25 * random()));
    },
    reset() {
      failures = 0;
      refusals = 0;
    },
    get failures() {
      return failures;
    },
  };
}
