/**
 * Adds jobs. Each call is safe to repeat: ids and deduplication make a second one of the same kind a no-op while the
 * first is still to be done. Fails fast while Redis is away; what was not added is added by the reconciler.
 */
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Duty } from '../domain/duties.js';
import {
  DEFAULT_JOB_OPTIONS,
  type GrantJob,
  jobId,
  LINK_ATTEMPTS,
  type LinkJob,
  type QueueName,
  type SessionJob,
} from './jobs.js';

export interface Producer {
  link(sessionId: string, number: number): Promise<void>;
  /** Polls after `delayMs`. */
  poll(sessionId: string, number: number, delayMs: number): Promise<void>;
  /** Polls now, or in `inMs`: brings a waiting poll forward, or makes one. One that is under way is left alone. */
  pollNow(sessionId: string, number: number, inMs?: number): Promise<void>;
  expiry(sessionId: string, delayMs: number): Promise<void>;
  /** The session has ended: nothing is left to expire. */
  dropExpiry(sessionId: string): Promise<void>;
  /** Looks after these grants now. */
  refresh(appId: string, openIds: readonly string[]): Promise<void>;
  /** There is nothing to look after any more. A job that is running ends by itself. */
  dropRefresh(appId: string, openId: string): Promise<void>;
  /** Jobs of `token-refresh` that are not finished. */
  refreshBacklog(): Promise<number>;
  /** Makes the message show its session's present state; also when an update is running at this moment. */
  cardUpdate(sessionId: string): Promise<void>;
  /** Which of these jobs are not there; for the reconciler. */
  missing(wanted: readonly Duty[]): Promise<Duty[]>;
  ensure(wanted: Duty): Promise<void>;
  queue(name: QueueName): Queue;
  /** When the first delayed job of the queue is due, milliseconds; null: there is none. */
  nextDueAt(name: QueueName): Promise<number | null>;
  close(): Promise<void>;
}

/** BullMQ keeps delayed jobs by due time × 4096, with a counter in the lower bits. */
const SCORE_PER_MS = 0x1000;

export function createProducer(deps: {
  connection: Redis;
  prefix: string;
  onError: (queue: QueueName, error: Error) => void;
}): Producer {
  const open = <Data>(name: QueueName): Queue<Data, void, string, Data, void, string> => {
    const queue = new Queue<Data, void, string, Data, void, string>(name, {
      connection: deps.connection,
      prefix: deps.prefix,
      defaultJobOptions: DEFAULT_JOB_OPTIONS,
      skipVersionCheck: true,
      streams: { events: { maxLen: 200 } },
    });
    queue.on('error', (error) => deps.onError(name, error));
    return queue;
  };
  const linkQueue = open<LinkJob>('card-action');
  const pollQueue = open<LinkJob>('device-poll');
  const expiryQueue = open<SessionJob>('session-expiry');
  const refreshQueue = open<GrantJob>('token-refresh');
  const cardQueue = open<SessionJob>('card-update');
  const queues: Readonly<Record<QueueName, Queue>> = {
    'card-action': linkQueue,
    'device-poll': pollQueue,
    'session-expiry': expiryQueue,
    'token-refresh': refreshQueue,
    'card-update': cardQueue,
    maintenance: open('maintenance'),
  };

  const producer: Producer = {
    async link(sessionId, number) {
      await linkQueue.add(
        'link',
        { session_id: sessionId, link_number: number },
        {
          jobId: jobId.link(sessionId, number),
          attempts: LINK_ATTEMPTS,
        },
      );
    },
    async poll(sessionId, number, delayMs) {
      await pollQueue.add(
        'poll',
        { session_id: sessionId, link_number: number },
        {
          jobId: jobId.poll(sessionId, number),
          delay: Math.max(0, Math.round(delayMs)),
        },
      );
    },
    async pollNow(sessionId, number, inMs = 0) {
      const job = await pollQueue.getJob(jobId.poll(sessionId, number));
      if (job === undefined) return await producer.poll(sessionId, number, inMs);
      if (!(await job.isDelayed())) return;
      try {
        await (inMs > 0 ? job.changeDelay(Math.round(inMs)) : job.promote());
      } catch (error) {
        // It may have begun in this very moment.
        if (await job.isDelayed()) throw error;
      }
    },
    async expiry(sessionId, delayMs) {
      await expiryQueue.add(
        'expire',
        { session_id: sessionId },
        {
          jobId: jobId.expiry(sessionId),
          delay: Math.max(0, Math.round(delayMs)),
        },
      );
    },
    async refresh(appId, openIds) {
      await refreshQueue.addBulk(
        openIds.map((openId) => ({
          name: 'refresh',
          data: { app_id: appId, open_id: openId },
          opts: { jobId: jobId.refresh(appId, openId) },
        })),
      );
    },
    async dropRefresh(appId, openId) {
      await refreshQueue.remove(jobId.refresh(appId, openId));
    },
    async refreshBacklog() {
      return await refreshQueue.getJobCountByTypes('waiting', 'active', 'delayed', 'prioritized');
    },
    async dropExpiry(sessionId) {
      await expiryQueue.remove(jobId.expiry(sessionId));
    },
    async cardUpdate(sessionId) {
      await cardQueue.add(
        'show',
        { session_id: sessionId },
        {
          deduplication: { id: sessionId, keepLastIfActive: true, reschedule: true },
        },
      );
    },
    async missing(wanted) {
      const there = await Promise.all(
        wanted.map(async (job) => {
          switch (job.kind) {
            case 'link':
              return await linkQueue.getJob(jobId.link(job.sessionId, job.number));
            case 'poll':
              return await pollQueue.getJob(jobId.poll(job.sessionId, job.number));
            case 'expiry':
              return await expiryQueue.getJob(jobId.expiry(job.sessionId));
            case 'card': {
              const id = await cardQueue.getDeduplicationJobId(job.sessionId);
              return id === null ? undefined : await cardQueue.getJob(id);
            }
          }
        }),
      );
      return wanted.filter((_, i) => there[i] === undefined);
    },
    async ensure(wanted) {
      switch (wanted.kind) {
        case 'link':
          return await producer.link(wanted.sessionId, wanted.number);
        case 'poll':
          return await producer.poll(wanted.sessionId, wanted.number, 0);
        case 'expiry':
          return await producer.expiry(wanted.sessionId, wanted.delayMs);
        case 'card':
          // A deduplication key whose job is gone would swallow every new one.
          await cardQueue.removeDeduplicationKey(wanted.sessionId);
          return await producer.cardUpdate(wanted.sessionId);
      }
    },
    queue: (name) => queues[name],
    async nextDueAt(name) {
      const [, score] = await deps.connection.zrange(queues[name].toKey('delayed'), '0', '0', 'WITHSCORES');
      return score === undefined ? null : Math.floor(Number(score) / SCORE_PER_MS);
    },
    async close() {
      await Promise.all(Object.values(queues).map((queue) => queue.close()));
    },
  };
  return producer;
}
