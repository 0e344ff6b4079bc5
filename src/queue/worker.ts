/**
 * Consumes the queues with a map of processors. A processor says what came of its job: done, or again after a delay
 * (the same job waits; that is no attempt). A throw is an attempt: BullMQ repeats it by the job's own backoff.
 */
import { DelayedError, type Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type BackoffPolicy, backoffDelayMs } from '../domain/backoff.js';
import type { Processor } from '../domain/job.js';
import { CONCURRENCY, type QueueName, WORKER_TIMING } from './jobs.js';

export interface WorkerPool {
  isRunning(name: QueueName): boolean;
  /**
   * When the queue's worker last took or finished a job, milliseconds. Now, while every slot is at work: they wait for
   * Feishu, and all their waits have limits.
   */
  lastProgressAt(name: QueueName): number;
  /** Replaces a worker that makes no progress. */
  rebuild(name: QueueName): void;
  /** Takes no new jobs, waits for those in hand. */
  close(): Promise<void>;
  /** Gives jobs in hand up: another process takes them when their locks end. */
  abandon(): void;
}

/** Between the tries of a job whose processor threw. A link is waited for by a person. */
const BACKOFF: Readonly<Record<QueueName, BackoffPolicy>> = {
  'card-action': { baseMs: 500, maxMs: 15_000 },
  'device-poll': { baseMs: 1_000, maxMs: 30_000 },
  'session-expiry': { baseMs: 1_000, maxMs: 30_000 },
  'token-refresh': { baseMs: 1_000, maxMs: 30_000 },
  'card-update': { baseMs: 1_000, maxMs: 60_000 },
  maintenance: { baseMs: 1_000, maxMs: 30_000 },
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Entry {
  readonly worker: Worker;
  readonly connection: Redis;
  /** Processors at work. */
  readonly hands: Set<Promise<void>>;
}

export function createWorkerPool(deps: {
  connect: () => Redis;
  prefix: string;
  processors: Readonly<Record<QueueName, Processor>>;
  onError: (queue: QueueName, error: Error) => void;
  /** A job failed for good, for any reason, also "stalled more than allowable limit". */
  onFailed: (queue: QueueName, jobId: string | undefined, error: Error) => void;
}): WorkerPool {
  const stopping = new AbortController();
  const workers = new Map<QueueName, Entry>();
  const progress = new Map<QueueName, number>();
  const moved = (name: QueueName): void => {
    progress.set(name, Date.now());
  };

  const process = (name: QueueName) => async (job: Job, token?: string) => {
    const attempts = job.opts.attempts ?? 1;
    const outcome = await deps.processors[name]({
      id: job.id ?? '',
      name: job.name,
      data: isRecord(job.data) ? job.data : {},
      lastAttempt: job.attemptsMade + 1 >= attempts,
      signal: stopping.signal,
    });
    if (outcome.kind === 'done') return;
    await job.moveToDelayed(Date.now() + outcome.delayMs, token);
    throw new DelayedError();
  };

  const open = (name: QueueName): void => {
    const connection = deps.connect();
    const hands = new Set<Promise<void>>();
    const run = process(name);
    const take = async (job: Job, token?: string): Promise<void> => {
      moved(name);
      const hand = run(job, token);
      hands.add(hand);
      try {
        await hand;
      } finally {
        hands.delete(hand);
        moved(name);
      }
    };
    const worker = new Worker(name, take, {
      connection,
      prefix: deps.prefix,
      concurrency: CONCURRENCY[name],
      lockDuration: WORKER_TIMING.lockDurationMs,
      stalledInterval: WORKER_TIMING.stalledIntervalMs,
      drainDelay: WORKER_TIMING.drainDelaySeconds,
      maxStalledCount: 1_000_000,
      runRetryDelay: 500,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
      // Else BullMQ's own totals stay at 0. Only the totals are used, not the points in time.
      metrics: { maxDataPoints: 1 },
      skipVersionCheck: true,
      settings: { backoffStrategy: (attempt) => backoffDelayMs(attempt, BACKOFF[name], Math.random) },
    });
    moved(name);
    worker.on('error', (error) => deps.onError(name, error));
    worker.on('failed', (job, error) => deps.onFailed(name, job?.id, error));
    workers.set(name, { worker, connection, hands });
  };

  for (const name of Object.keys(deps.processors) as QueueName[]) open(name);

  return {
    lastProgressAt(name) {
      const isFull = (workers.get(name)?.hands.size ?? 0) >= CONCURRENCY[name];
      return isFull ? Date.now() : (progress.get(name) ?? 0);
    },
    isRunning: (name) => workers.get(name)?.worker.isRunning() === true,

    rebuild(name) {
      const old = workers.get(name);
      open(name);
      if (old === undefined) return;
      old.worker.close(true).catch((error: Error) => deps.onError(name, error));
      old.connection.disconnect();
    },

    async close() {
      stopping.abort();
      await Promise.all([...workers.values()].map(({ worker }) => worker.close()));
      for (const { connection } of workers.values()) connection.disconnect();
    },

    abandon() {
      stopping.abort();
      for (const [name, { worker, connection }] of workers) {
        worker.close(true).catch((error: Error) => deps.onError(name, error));
        connection.disconnect();
      }
    },
  };
}
