/**
 * Watches that work gets done: repeating jobs exist under one fixed id each, and no due job waits for long while its
 * worker does nothing (a blocked connection that died, a lost marker). A worker without progress is replaced.
 */

import type { Queue } from 'bullmq';
import type { Logger } from 'pino';
import type { QueueName } from './jobs.js';
import type { WorkerPool } from './worker.js';

export interface RepeatingJob {
  readonly id: string;
  readonly everyMs: number;
}

export interface QueueWatch {
  /** Looks at once; rejects when Redis is away. */
  look(): Promise<void>;
  start(): void;
  stop(): void;
  /** Queues with due jobs and no progress; empty when all is well. */
  stalled(): readonly QueueName[];
}

export interface QueueWatchDeps {
  readonly queues: readonly QueueName[];
  readonly queue: (name: QueueName) => Queue;
  /** When the first delayed job is due, milliseconds; null: there is none. */
  readonly nextDueAt: (name: QueueName) => Promise<number | null>;
  readonly workers: Pick<WorkerPool, 'isRunning' | 'lastProgressAt' | 'rebuild'>;
  readonly repeating: readonly RepeatingJob[];
  readonly onError: (error: unknown) => void;
  /** Milliseconds since the epoch, the clock of the workers. */
  readonly now: () => number;
  readonly logger: Logger;
}

const LOOK_EVERY_MS = 5_000;
const OVERDUE_MS = 8_000;

export function createQueueWatch(deps: QueueWatchDeps): QueueWatch {
  const stalled = new Set<QueueName>();
  /** The first waiting job of a queue that makes no progress, and since when it is known to be that. */
  const heads = new Map<QueueName, { readonly id: string; readonly since: number }>();
  let timer: NodeJS.Timeout | undefined;
  let looking = false;

  /**
   * Milliseconds for which the oldest due job has been waiting, as far as it can be told; 0: none waits. A job does not
   * say since when it is due (its `timestamp` is when it was made, its `delay` only the last one), so one that waits
   * counts from the look that has found it first.
   */
  const overdueMs = async (name: QueueName): Promise<number> => {
    const now = deps.now();
    const [waiting] = await deps.queue(name).getWaiting(0, 0);
    const head = heads.get(name);
    if (waiting?.id === undefined) heads.delete(name);
    else if (head?.id !== waiting.id) heads.set(name, { id: waiting.id, since: now });
    const dueAt = await deps.nextDueAt(name);
    return Math.max(0, now - (heads.get(name)?.since ?? now), now - (dueAt ?? now));
  };

  const check = async (name: QueueName): Promise<void> => {
    const idleMs = deps.now() - deps.workers.lastProgressAt(name);
    if (idleMs <= OVERDUE_MS) heads.delete(name);
    const overdue = idleMs > OVERDUE_MS ? await overdueMs(name) : 0;
    if (overdue <= OVERDUE_MS && deps.workers.isRunning(name)) {
      stalled.delete(name);
      return;
    }
    stalled.add(name);
    const fields = { event: 'queue.stalled', queue: name, overdue_ms: overdue, idle_ms: idleMs };
    deps.logger.warn(fields, 'Due jobs wait and nothing works on them; the worker is replaced');
    deps.workers.rebuild(name);
  };

  /** The first is due at once. One whose next run is long overdue was lost in a crash: it is made again. */
  const schedule = async (): Promise<void> => {
    const queue = deps.queue('maintenance');
    const known = await queue.getJobSchedulers(0, 100);
    const wanted = new Set(deps.repeating.map((job) => job.id));
    for (const scheduler of known) {
      if (!wanted.has(scheduler.key)) await queue.removeJobScheduler(scheduler.key);
    }
    for (const { everyMs, id } of deps.repeating) {
      const found = known.find((scheduler) => scheduler.key === id);
      const alive = found?.next !== undefined && found.next > deps.now() - everyMs - OVERDUE_MS;
      if (found !== undefined && Number(found.every) === everyMs && alive) continue;
      if (found !== undefined) await queue.removeJobScheduler(id);
      await queue.upsertJobScheduler(id, { every: everyMs }, { name: id });
    }
  };

  const look = async (): Promise<void> => {
    await schedule();
    for (const name of deps.queues) await check(name);
  };

  return {
    look,
    start() {
      timer = setInterval(() => {
        if (looking) return;
        looking = true;
        look()
          .catch(deps.onError)
          .finally(() => {
            looking = false;
          });
      }, LOOK_EVERY_MS);
    },
    stop() {
      clearInterval(timer);
    },
    stalled: () => [...stalled],
  };
}
