/**
 * A time limit over the waits of one request (FAILURES E-admin-call-hangs-with-redis): commands may wait in buffers
 * for as long as Redis is away, an answer may not. The work itself is not cancelled, only no longer waited for; its
 * late outcome is observed and dropped.
 */
import { AuthdError } from '../errors.js';

export interface Deadline {
  /** Settles as `work` does, or rejects with `upstream_unavailable` when the time is over. */
  race<T>(work: Promise<T>): Promise<T>;
}

/** All `race`s of one deadline share its `milliseconds`, counted from now. */
export function startDeadline(milliseconds: number): Deadline {
  const end = performance.now() + milliseconds;
  return {
    race: (work) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new AuthdError('upstream_unavailable', 'The store did not answer in time')),
          Math.max(0, end - performance.now()),
        );
        const settled = () => clearTimeout(timer);
        work.then(resolve, reject).then(settled, settled);
      }),
  };
}
