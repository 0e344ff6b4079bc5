/** A store that holds many sessions and grants, for what must not cost more with them. */
import type { Redis } from 'ioredis';
import type { StoreKeys } from '../../src/store/keys.js';

/** As `count` sessions and grants would leave their indexes and records, and their jobs the queue. */
const FILL = `
local base, queue, count = KEYS[1], KEYS[2], tonumber(ARGV[1])
local t = redis.call('TIME')
local at = t[1] * 1000
for i = 1, count do
  local id = 'as_0123456789abcdef_' .. i
  redis.call('HSET', base .. ':session:' .. id, 'state', 'pending', 'open_id', 'ou_' .. i)
  redis.call('ZADD', base .. ':sessions', at, id)
  redis.call('ZADD', base .. ':open', at + tonumber(ARGV[2]), id)
  redis.call('ZADD', base .. ':grants', string.format('%.0f', at + i * 60000), 'ou_' .. i)
  redis.call('ZADD', queue .. ':session-expiry:delayed', string.format('%.0f', (at + 86400000 + i) * 4096), 'expire-' .. i)
end`;

/** `openInMs`: when the reconciler looks at them. */
export async function fillSessions(
  redis: Redis,
  keys: Pick<StoreKeys, 'base' | 'queuePrefix'>,
  appId: string,
  { count, openInMs = 0 }: { readonly count: number; readonly openInMs?: number },
): Promise<void> {
  await redis.eval(FILL, 2, keys.base(appId), keys.queuePrefix, count, openInMs);
}
