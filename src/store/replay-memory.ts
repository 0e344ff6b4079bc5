/**
 * Which signed requests were accepted (FEISHU.md §3, by HTTP), remembered by all processes together. Owns the keys
 * `<prefix>:{<app_id>}:callback:…`, all of which expire by themselves.
 */
import type { Redis } from 'ioredis';
import type { StoreKeys } from './keys.js';

export interface ReplayMemory {
  /** Remembers it for `ttlMs`; true: it was remembered already. @throws when Redis does not answer */
  seenBefore(appId: string, fingerprint: string, ttlMs: number): Promise<boolean>;
  forget(appId: string, fingerprint: string): Promise<void>;
}

export function createReplayMemory({ keys, redis }: { redis: Redis; keys: Pick<StoreKeys, 'base'> }): ReplayMemory {
  const keyOf = (appId: string, fingerprint: string): string => `${keys.base(appId)}:callback:${fingerprint}`;
  return {
    async seenBefore(appId, fingerprint, ttlMs) {
      return (await redis.set(keyOf(appId, fingerprint), '1', 'PX', ttlMs, 'NX')) === null;
    },
    async forget(appId, fingerprint) {
      await redis.del(keyOf(appId, fingerprint));
    },
  };
}
