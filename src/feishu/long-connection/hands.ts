/** Counts the handlers at work on one link, and lets the one who wants to close wait for them. Owns no handler. */

export interface Hands {
  /** Counts one handler; call the result once when it has returned. */
  take(): () => void;
  count(): number;
  /** Settles when no handler is at work, at the latest after `limitMs` or with `until`. */
  empty(limitMs: number, until: Promise<unknown>): Promise<void>;
}

export function createHands(): Hands {
  const waiting = new Set<() => void>();
  let atWork = 0;

  return {
    take() {
      atWork += 1;
      // The SDK writes the ack in the microtasks after the handler's return; only then is the hand free.
      return () =>
        void setImmediate(() => {
          atWork -= 1;
          if (atWork === 0) for (const wake of [...waiting]) wake();
        });
    },
    count: () => atWork,
    async empty(limitMs, until) {
      if (atWork === 0) return;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, limitMs);
        waiting.add(wake);
        void until.then(wake);
      });
    },
  };
}
