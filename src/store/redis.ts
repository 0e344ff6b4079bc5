/**
 * Connections to Redis. All reconnect for ever with backoff, and after READONLY, LOADING or MASTERDOWN (a failover).
 * Store and queue connections fail fast while Redis is away: no offline queue, a limit on every command. What a
 * timed-out command does later must be harmless: every script is safe to run again.
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
const COMMAND_TIMEOUT_MS = 2_000;
/** BullMQ's blocking reads return at least every 5 s (drainDelay); silence beyond this is a dead connection. */
const BLOCKING_SILENCE_MS = 15_000;

export function createRedis(use: RedisUse, deps: RedisDeps): Redis {
  const common: RedisOptions = {
    connectionName: `feishu-authd-${use}`,
    lazyConnect: true,
    connectTimeout: 5_000,
    keepAlive: 10_000,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000) * (0.75 + Math.random() / 2),
    reconnectOnError: (error) => (/^(READONLY|LOADING|MASTERDOWN)/.test(error.message) ? 2 : false),
  };
  const byUse: Record<RedisUse, RedisOptions> = {
    store: failFast,
    queue: failFast,
    subscriber: { enableOfflineQueue: true, maxRetriesPerRequest: null, autoResubscribe: true },
    worker: { enableOfflineQueue: true, maxRetriesPerRequest: null, socketTimeout: BLOCKING_SILENCE_MS },
  };
  const options: Omit<RedisOptions, 'replyMapping'> = { ...common, ...byUse[use] };
  const redis = new Redis(deps.url, options);
  redis.on('error', (error: Error) => deps.onError(use, error));
  redis.on('ready', () => deps.onState(use, 'ready'));
  redis.on('close', () => deps.onState(use, 'close'));
  return redis;
}

const failFast: RedisOptions = {
  enableOfflineQueue: false,
  commandTimeout: COMMAND_TIMEOUT_MS,
  maxRetriesPerRequest: 1,
  autoResendUnfulfilledCommands: false,
};
