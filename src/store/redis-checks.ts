/**
 * What must be known about a Redis before and while we rely on it: does it evict keys, does it persist, is it still
 * the one we have written to (CONTRACT §9).
 */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { AuthdError } from '../errors.js';
import type { Envelope } from './envelope.js';
import type { StoreKeys } from './keys.js';

export interface RedisFacts {
  readonly version: string;
  /** `unknown` where CONFIG is not allowed (managed Redis). */
  readonly maxmemoryPolicy: string;
  readonly appendOnly: 'yes' | 'no' | 'unknown';
  readonly appendFsync: string;
}

export async function readRedisFacts(redis: Redis): Promise<RedisFacts> {
  const server = await redis.info('server');
  const memory = await redis.info('memory');
  const [appendOnly, appendFsync] = await Promise.all([setting(redis, 'appendonly'), setting(redis, 'appendfsync')]);
  return {
    version: field(server, 'redis_version') ?? 'unknown',
    maxmemoryPolicy: field(memory, 'maxmemory_policy') ?? 'unknown',
    appendOnly: appendOnly === 'yes' || appendOnly === 'no' ? appendOnly : 'unknown',
    appendFsync: appendFsync ?? 'unknown',
  };
}

/** @throws AuthdError `redis_unsuitable` when keys may be evicted */
export function refuseEviction(facts: RedisFacts, allowEviction: boolean): void {
  if (allowEviction || facts.maxmemoryPolicy === 'noeviction' || facts.maxmemoryPolicy === 'unknown') return;
  throw new AuthdError(
    'redis_unsuitable',
    `REDIS_URL: this Redis evicts keys when memory is short (maxmemory-policy is ${facts.maxmemoryPolicy}): grants would be lost`,
    { remedy: 'Set "maxmemory-policy noeviction" in redis.conf, or REDIS_ALLOW_EVICTION=true to accept the loss.' },
  );
}

/** Sentences to warn the operator with; none when all is well. */
export function persistenceWarnings(facts: RedisFacts): string[] {
  if (facts.appendOnly === 'no') {
    return [
      'Redis has append-only persistence off: a restart of Redis loses grants. Set "appendonly yes" in redis.conf',
    ];
  }
  return [];
}

/** Whether what Redis takes now is on disk: its append-only file is on and was last written well. null: it does not say. */
export async function persistenceOk(redis: Redis): Promise<boolean | null> {
  const info = await redis.info('persistence');
  const enabled = field(info, 'aof_enabled');
  if (enabled === undefined) return null;
  return enabled === '1' && field(info, 'aof_last_write_status') === 'ok';
}

/** Keys that the store was written with and this process does not have, or has with another value. */
export async function missingKeys(
  redis: Redis,
  keys: StoreKeys,
  envelope: Pick<Envelope, 'keyIds' | 'checkValue'>,
): Promise<number> {
  const known = await redis.hgetall(keys.keyChecks);
  const missing = ([keyId, value]: [string, string]): boolean =>
    !envelope.keyIds.includes(keyId) || envelope.checkValue(keyId) !== value;
  return Object.entries(known).filter(missing).length;
}

/**
 * The id of this store's contents, made on first contact. Null in `known` at the first look; later a different or
 * fresh id means that the contents were lost or replaced.
 */
export async function installId(redis: Redis, keys: StoreKeys): Promise<string> {
  const fresh = randomBytes(8).toString('hex');
  await redis.set(keys.install, fresh, 'NX');
  return (await redis.get(keys.install)) ?? fresh;
}

async function setting(redis: Redis, name: string): Promise<string | null> {
  try {
    const reply = await redis.config('GET', name);
    return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : null;
  } catch (error) {
    // Managed servers forbid CONFIG; an answer of Redis is no reason to stop, a lost connection is.
    if (error instanceof Error && error.name === 'ReplyError') return null;
    throw error;
  }
}

const field = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim();
