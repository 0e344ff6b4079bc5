/** Runs a task again and again, never twice at once. */

export interface Repeated {
  /** Runs it out of turn, unless it is running. */
  now(): void;
  /** What is running goes on. */
  stop(): void;
  /** Resolves when what is running has ended. */
  settled(): Promise<void>;
}

/** @param onError told of what the task throws; the next run comes all the same */
export function repeat(everyMs: number, task: () => Promise<unknown>, onError: (error: unknown) => void): Repeated {
  let running: Promise<void> | null = null;
  const run = (): void => {
    running ??= task()
      .then(() => undefined, onError)
      .finally(() => {
        running = null;
      });
  };
  const timer = setInterval(run, everyMs);
  return {
    now: run,
    stop: () => clearInterval(timer),
    async settled() {
      await running;
    },
  };
}
