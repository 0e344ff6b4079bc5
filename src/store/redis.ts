/**
 * Connections to Redis. All reconnect for ever with backoff, after an answer that tells of a failover, and after
 * silence: a connection may be dead without a word (FAILURES E-delayed-jobs-stuck). Store and queue connections ride
 * over a reconnection, but no command waits longer than its timeout. What a timed-out or repeated command does later
 * must be harmless: every script is safe to run again.
 */
import { Redis, type RedisOptions } from 'ioredis';

export type RedisUse = 'store' | 'subscriber' | 'queue' | 'worker';

export interface RedisDeps {
  readonly url: string;
  /** Told once per change of state and for each error, never with the URL's password. */
  readonly onError: (use: RedisUse, error: Error) => void;
  readonly onState: (use: RedisUse, state: 'ready' | 'close') => void;
}

/** No command of ours takes longer unless Redis is in trouble. */
export const COMMAND_TIMEOUT_MS = 2_000;
/** A command unanswered for so long: the connection is dead, whatever TCP thinks. */
const SILENCE_MS = 5_000;
/** BullMQ's blocking reads return at least every 10 s. */
const BLOCKING_SILENCE_MS = 12_000;
/** A former master: the address leads to another one by now. UNBLOCKED is what blocked reads get then. */
const FAILOVER = /^(READONLY|LOADING|MASTERDOWN|UNBLOCKED)/;

export function createRedis(use: RedisUse, deps: RedisDeps): Redis {
  const common: RedisOptions = {
    connectionName: `feishu-authd-${use}`,
    // BullMQ gives a connection up that it has to open itself and that fails once.
    lazyConnect: use !== 'worker',
    connectTimeout: 5_000,
    keepAlive: 10_000,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000) * (0.75 + Math.random() / 2),
    reconnectOnError: (error) => (FAILOVER.test(error.message) ? 2 : false),
  };
  const byUse: Record<RedisUse, RedisOptions> = {
    store: bounded,
    queue: bounded,
    subscriber: { maxRetriesPerRequest: null, autoResubscribe: true, socketTimeout: SILENCE_MS },
    worker: { maxRetriesPerRequest: null, socketTimeout: BLOCKING_SILENCE_MS },
  };
  const options: Omit<RedisOptions, 'replyMapping'> = { ...common, ...byUse[use] };
  const redis = new Redis(deps.url, options);
  redis.on('error', (error: Error) => deps.onError(use, error));
  redis.on('ready', () => deps.onState(use, 'ready'));
  redis.on('close', () => deps.onState(use, 'close'));
  return redis;
}

/** After the second failed attempt to reconnect, all that wait are told; so nothing piles up while Redis is away. */
const bounded: RedisOptions = {
  commandTimeout: COMMAND_TIMEOUT_MS,
  maxRetriesPerRequest: 1,
  socketTimeout: SILENCE_MS,
};

/** Resolves when the connection is up, however many attempts that takes. @throws the signal's reason */
export async function whenReady(redis: Redis, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  // Its own attempts go on after a first one that fails.
  if (redis.status === 'wait') redis.connect().catch(() => undefined);
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    const done = (): void => {
      redis.off('ready', done);
      signal.removeEventListener('abort', done);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    redis.once('ready', done);
    signal.addEventListener('abort', done, { once: true });
  });
}
