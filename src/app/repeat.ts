/** Runs a task again and again, never twice at once. */

export interface Repeated {
  /** Runs it out of turn, unless it is running. */
  now(): void;
  /** What is running goes on. */
  stop(): void;
}

/** @param onError told of what the task throws; the next run comes all the same */
export function repeat(everyMs: number, task: () => Promise<unknown>, onError: (error: unknown) => void): Repeated {
  let busy = false;
  const run = (): void => {
    if (busy) return;
    busy = true;
    task()
      .catch(onError)
      .finally(() => {
        busy = false;
      });
  };
  const timer = setInterval(run, everyMs);
  return { now: run, stop: () => clearInterval(timer) };
}
