/**
 * Scripts of the book of running processes. Nothing in these keys is secret. Time is Redis's, in milliseconds.
 *
 * <prefix>:processes        hash: process id → what it last told of itself (JSON)
 * <prefix>:processes:seen   sorted set of process ids by when they were last heard of
 *
 * KEYS of each script: these two, in this order. Both go by themselves when nobody writes any more.
 */
import { defineScript } from '../script.js';

const PRELUDE = `
local notes, seen = KEYS[1], KEYS[2]
local t = redis.call('TIME')
local at = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
`;

/** A process tells of itself; those that were not heard of are forgotten. ARGV: process id, JSON, ms until then. */
export const tellScript = defineScript(`${PRELUDE}
redis.call('HSET', notes, ARGV[1], ARGV[2])
redis.call('ZADD', seen, at, ARGV[1])
for _, id in ipairs(redis.call('ZRANGEBYSCORE', seen, '-inf', string.format('(%.0f', at - tonumber(ARGV[3])))) do
  redis.call('HDEL', notes, id)
  redis.call('ZREM', seen, id)
end
redis.call('PEXPIRE', notes, 2 * ARGV[3])
redis.call('PEXPIRE', seen, 2 * ARGV[3])
return 1
`);

/** Those heard of lately, the latest first. ARGV: ms, at most. Returns a flat list of ms since then, JSON, … */
export const whoScript = defineScript(`${PRELUDE}
local list = {}
local ids = redis.call('ZREVRANGEBYSCORE', seen, '+inf', at - tonumber(ARGV[1]), 'WITHSCORES', 'LIMIT', 0, ARGV[2])
for i = 1, #ids, 2 do
  local note = redis.call('HGET', notes, ids[i])
  if note then
    list[#list + 1] = at - tonumber(ids[i + 1])
    list[#list + 1] = note
  end
end
return list
`);

/** A process has stopped in order. ARGV: process id. */
export const farewellScript = defineScript(`
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])
`);
