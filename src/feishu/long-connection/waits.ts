/** Waits that can be cut short. Both settle quietly and leave neither timer nor listener behind. */

/** setTimeout takes a longer time for 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Settles after `ms` (Infinity: never by itself) or when the signal is aborted. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = Number.isFinite(ms) ? setTimeout(done, Math.min(ms, LONGEST_TIMER_MS)) : undefined;
    signal.addEventListener('abort', done, { once: true });
  });
}

/** Settles when `promise` does, at the latest after `ms`. */
export async function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  const late = new AbortController();
  await Promise.race([promise.then(() => late.abort()), sleep(ms, late.signal)]);
}

/**
 * Calls `onJump` when the wall clock runs away from the timers: after a suspended machine or a stopped process. Sockets
 * die meanwhile and nobody says so (FAILURES G-suspend-resume). Returns the function that ends it.
 */
export function watchClock(now: () => number, onJump: () => void): () => void {
  const everyMs = 1_000;
  const jumpMs = 5_000;
  let last = now();
  const timer = setInterval(() => {
    const current = now();
    if (Math.abs(current - last - everyMs) > jumpMs) onJump();
    last = current;
  }, everyMs);
  return () => clearInterval(timer);
}
