/**
 * Notices of changed sessions, from the store's scripts to whoever waits in this process (an ack, a long poll, a card
 * update behind a click). A notice is only a hint to read again: it may be lost while Redis is away, so every wait has
 * a limit and its waiter reads once more at the end.
 */
import type { Redis } from 'ioredis';

export interface ChangeWait {
  /** Resolves true on a notice, false when the time is over or the wait was cancelled. */
  readonly promise: Promise<boolean>;
  cancel(): void;
}

/** A subscriber only listens: without a question now and then a dead connection would never be noticed. */
const PING_EVERY_MS = 5_000;

export interface Changes {
  /** Starts to listen now; a notice that comes between this call and the await of the promise is not missed. */
  wait(sessionId: string, timeoutMs: number): ChangeWait;
  /** Subscribes (again after each reconnect, by ioredis itself). Throws when Redis is away. */
  start(): Promise<void>;
  stop(): void;
}

export function createChanges(subscriber: Redis, channels: readonly string[]): Changes {
  const waiters = new Map<string, Set<() => void>>();
  const notify = (_channel: string, sessionId: string): void => {
    for (const wake of [...(waiters.get(sessionId) ?? [])]) wake();
  };
  subscriber.on('message', notify);
  let pings: NodeJS.Timeout | undefined;

  return {
    wait(sessionId, timeoutMs) {
      let finish: (changed: boolean) => void = () => undefined;
      const promise = new Promise<boolean>((resolve) => {
        const wake = (): void => finish(true);
        const timer = setTimeout(() => finish(false), Math.max(0, timeoutMs));
        const set = waiters.get(sessionId) ?? new Set();
        waiters.set(sessionId, set.add(wake));
        finish = (changed) => {
          clearTimeout(timer);
          set.delete(wake);
          if (set.size === 0 && waiters.get(sessionId) === set) waiters.delete(sessionId);
          resolve(changed);
        };
      });
      return { promise, cancel: () => finish(false) };
    },

    async start() {
      if (channels.length > 0) await subscriber.subscribe(...channels);
      pings = setInterval(() => {
        if (subscriber.status === 'ready') subscriber.ping().catch(() => undefined);
      }, PING_EVERY_MS);
    },

    stop() {
      clearInterval(pings);
      subscriber.off('message', notify);
      for (const set of [...waiters.values()]) for (const wake of [...set]) wake();
    },
  };
}
