/**
 * How long to wait before the next try: doubled each time, capped, the upper half random, so that processes that
 * failed together do not come back together. Pure. Milliseconds.
 */
export interface BackoffPolicy {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** 2^30 times the base is past any cap we use; beyond it doubling would only risk infinity. */
const MOST_DOUBLINGS = 30;

/**
 * Between half of and all of `min(maxMs, baseMs * 2^(attempt - 1))`, whole milliseconds.
 *
 * @param attempt 1 for the first repeat; anything that is not a number from 1 up counts as 1
 * @param random 0 ≤ x < 1, as Math.random gives it
 */
export function backoffDelayMs(attempt: number, policy: BackoffPolicy, random: () => number): number {
  const doublings = attempt >= 1 ? Math.min(MOST_DOUBLINGS, Math.floor(attempt) - 1) : 0;
  const base = positive(policy.baseMs);
  const cap = Math.max(base, positive(policy.maxMs));
  const ceiling = Math.min(cap, base * 2 ** doublings);
  return Math.round(ceiling * (0.5 + 0.5 * part(random())));
}

const positive = (value: number): number => (Number.isFinite(value) && value >= 1 ? value : 1);
const part = (value: number): number => (value >= 0 && value <= 1 ? value : 0.5);
