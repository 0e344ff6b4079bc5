/**
 * Sliding windows over arrival times. Strict on purpose: no 1 s or 60 s stretch, wherever it starts, may hold more than
 * the limit. Only accepted calls fill a window, so a refused caller that waits is served. Source: FEISHU.md §7.
 */

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;

/** Admits at most `limit` entries in any `windowMs`. */
class Window {
  readonly #times: number[] = [];
  readonly #windowMs: number;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Milliseconds until an entry fits; 0 = it fits now. */
  waitMs(now: number, limit: number): number {
    while ((this.#times[0] ?? Number.POSITIVE_INFINITY) <= now - this.#windowMs) this.#times.shift();
    if (this.#times.length < limit) return 0;
    const blocker = this.#times.at(-limit);
    return blocker === undefined ? this.#windowMs : blocker + this.#windowMs - now;
  }

  enter(now: number): void {
    this.#times.push(now);
  }
}

export interface Verdict {
  admitted: boolean;
  waitMs: number;
}

export class RateLimits {
  readonly #windows = new Map<string, Window>();
  readonly #now: () => number;

  constructor(options: { now: () => number }) {
    this.#now = options.now;
  }

  /** Asks for one call under `key` in any second. `countAnyway` enters it even when it is over the limit. */
  perSecond(key: string, limit: number, countAnyway = false): Verdict {
    return this.#ask(`1:${key}`, SECOND_MS, limit, countAnyway);
  }

  perMinute(key: string, limit: number, countAnyway = false): Verdict {
    return this.#ask(`60:${key}`, MINUTE_MS, limit, countAnyway);
  }

  #ask(key: string, windowMs: number, limit: number, countAnyway: boolean): Verdict {
    const now = this.#now();
    let window = this.#windows.get(key);
    if (!window) {
      window = new Window(windowMs);
      this.#windows.set(key, window);
    }
    const waitMs = window.waitMs(now, limit);
    if (waitMs === 0 || countAnyway) window.enter(now);
    return { admitted: waitMs === 0, waitMs };
  }
}
