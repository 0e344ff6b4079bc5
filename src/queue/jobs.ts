/**
 * The queues (CONTRACT §6): names, job data, ids and options. Jobs are disposable hints and carry ids only: what must
 * happen next stands in the session's record, and the reconciler makes missing jobs again.
 *
 * Finished and failed jobs are removed at once, so an id that "exists" always means work that is still to be done.
 */
import type { JobsOptions } from 'bullmq';

export const QUEUES = [
  'card-action',
  'device-poll',
  'session-expiry',
  'token-refresh',
  'card-update',
  'maintenance',
] as const;
export type QueueName = (typeof QUEUES)[number];

/** Data of `card-action` and `device-poll`. */
export interface LinkJob {
  readonly session_id: string;
  readonly link_number: number;
}
/** Data of `session-expiry` and `card-update`; `maintenance` carries nothing. */
export interface SessionJob {
  readonly session_id: string;
}

/** Data of `token-refresh`. */
export interface GrantJob {
  readonly app_id: string;
  readonly open_id: string;
}

export const jobId = {
  link: (sessionId: string, number: number): string => `link-${sessionId}-${number}`,
  poll: (sessionId: string, number: number): string => `poll-${sessionId}-${number}`,
  expiry: (sessionId: string): string => `expire-${sessionId}`,
  refresh: (appId: string, openId: string): string => `refresh-${appId}-${openId}`,
} as const;

/** Tries to make one link before the user has to ask again; about a minute with the backoff below. */
export const LINK_ATTEMPTS = 7;

/** Work that must get done in the end is tried for ever, at the pace of the worker's backoff. */
export const DEFAULT_JOB_OPTIONS: JobsOptions = {
  attempts: 1_000_000,
  backoff: { type: 'custom' },
  removeOnComplete: true,
  removeOnFail: true,
};

/**
 * A job that was in hand when its worker was killed, or whose start was told to a connection that broke, is taken up
 * after the lock has ended and one look more: 12 s, within the 15 s in which due jobs run after an outage of Redis.
 * BullMQ lets one worker of a queue look per interval, however many there are.
 */
export const WORKER_TIMING = { lockDurationMs: 10_000, stalledIntervalMs: 2_000, drainDelaySeconds: 5 } as const;

/** How many jobs of a queue one process works on at once: they wait for Feishu, not for the processor. */
export const CONCURRENCY: Readonly<Record<QueueName, number>> = {
  'card-action': 64,
  'device-poll': 32,
  'session-expiry': 16,
  // Few: when Feishu refuses the whole app, no more than these have asked before everybody knows.
  'token-refresh': 5,
  'card-update': 64,
  maintenance: 1,
};
