/**
 * Requests that wait for a session to end: how many there may be, and that each is let go when its caller hangs up
 * or the server closes. What they wait for is the sessions port's business.
 */
import type { ServerResponse } from 'node:http';
import { AuthdError } from '../errors.js';

export interface LongPolls {
  /**
   * Gives what `wait` gives, or null as soon as the caller (`response` emits `close`) or the server has gone.
   * Rejects with `rate_limited` when too many are waiting.
   */
  hold<T>(response: ServerResponse, wait: (signal: AbortSignal) => Promise<T>): Promise<T | null>;
  /** Lets all of them go, and every later one at once. */
  close(): void;
  /** How many are waiting now. */
  readonly waiting: number;
}

export function createLongPolls(max: number): LongPolls {
  // One controller each: AbortSignal.any() over a long-lived signal keeps memory for as long as that one lives.
  const held = new Set<AbortController>();
  let closed = false;

  return {
    async hold(response, wait) {
      if (held.size >= max) {
        throw new AuthdError('rate_limited', 'Too many requests are waiting for sessions', { retryAfterSeconds: 1 });
      }
      if (closed || response.destroyed) return null;
      const controller = new AbortController();
      const letGo = () => controller.abort();
      held.add(controller);
      response.once('close', letGo);
      try {
        return await untilAborted(wait(controller.signal), controller.signal);
      } finally {
        response.off('close', letGo);
        held.delete(controller);
      }
    },
    close() {
      closed = true;
      for (const controller of held) controller.abort();
    },
    get waiting() {
      return held.size;
    },
  };
}

/** Does not rely on the port to notice the signal in good time. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => resolve(null), { once: true });
    work.then(resolve, reject);
  });
}
