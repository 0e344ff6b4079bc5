/**
 * Scripts of the keyring. Nothing in these keys is secret. Time is Redis's, in milliseconds.
 *
 * <prefix>:keys             hash: key id → check value, of each key that values may be sealed with
 * <prefix>:keys:sealing     hash: key id → until when a process may still be sealing with it
 * <prefix>:keys:processes   hash: process id → `<last heard of> <started> <SealingProcess as JSON>`
 * <prefix>:keys:reseal      hash: lease (owner, owner_until), pass (JSON), finished_at, uses (JSON)
 *
 * KEYS of each script: these four, in this order.
 */
import { defineScript } from '../script.js';

const PRELUDE = `
local checks, sealing, processes, reseal = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local t = redis.call('TIME')
local at = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local function notes()
  local flat, list = redis.call('HGETALL', processes), {}
  for i = 1, #flat, 2 do
    local seen, json = string.match(flat[i + 1], '^(%d+) %d+ (.*)$')
    list[#list + 1] = {id = flat[i], seen = tonumber(seen), note = cjson.decode(json)}
  end
  return list
end
local function ours() return redis.call('HGET', reseal, 'owner') == ARGV[1] end
`;

/**
 * A process tells of itself: with 'join' before anything else it does, with 'beat' again and again. Registers the key
 * it seals with; the others of its ring are not registered, as they may be on their way out. Joining with a ring that
 * does not fit changes nothing.
 * ARGV: process id, 'join' | 'beat', ms after which a silent process counts as gone, started at (0: now), note (JSON),
 * then key id and check value of each key of the ring.
 * Returns {started at (0: refused), ids the ring lacks, ids whose key is another one}.
 */
export const announceScript = defineScript(`${PRELUDE}
local gone, started, first, ring = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[6], {}
for i = 6, #ARGV, 2 do ring[ARGV[i]] = ARGV[i + 1] end
local missing, wrong = {}, {}
local known = redis.call('HGETALL', checks)
for i = 1, #known, 2 do
  local mine = ring[known[i]]
  if not mine then missing[#missing + 1] = known[i]
  elseif mine ~= known[i + 1] then wrong[#wrong + 1] = known[i] end
end
if ARGV[2] == 'join' and #missing + #wrong > 0 then return {0, missing, wrong} end
if started == 0 then started = at end
for _, process in ipairs(notes()) do
  if process.seen < at - gone then redis.call('HDEL', processes, process.id) end
end
redis.call('HSETNX', checks, first, ring[first])
redis.call('HSET', sealing, first, at + gone)
-- Lua writes numbers of this size in a shorter form.
redis.call('HSET', processes, ARGV[1], string.format('%.0f %.0f %s', at, started, ARGV[5]))
return {started, missing, wrong}
`);

/** A process has stopped in order: it seals nothing more. ARGV: process id, the key it sealed with, ms as above. */
export const leaveScript = defineScript(`${PRELUDE}
if redis.call('HDEL', processes, ARGV[1]) == 0 then return 0 end
local untilAt = at
for _, process in ipairs(notes()) do
  if process.note.seals == ARGV[2] then untilAt = math.max(untilAt, process.seen + tonumber(ARGV[3])) end
end
redis.call('HSET', sealing, ARGV[2], untilAt)
return 1
`);

/**
 * Everything there is to know, in one look. ARGV: who asks for the lease ('' : nobody), lease ms.
 * Returns {now, checks, sealing, processes, {pass, finished_at, uses}, 1 when the lease is the asker's}.
 */
export const viewScript = defineScript(`${PRELUDE}
local taken = 0
if ARGV[1] ~= '' then
  local lease = redis.call('HMGET', reseal, 'owner', 'owner_until')
  if not lease[1] or lease[1] == ARGV[1] or tonumber(lease[2]) <= at then
    redis.call('HSET', reseal, 'owner', ARGV[1], 'owner_until', at + tonumber(ARGV[2]))
    taken = 1
  end
end
return {at, redis.call('HGETALL', checks), redis.call('HGETALL', sealing), redis.call('HGETALL', processes),
  redis.call('HMGET', reseal, 'pass', 'finished_at', 'uses'), taken}
`);

/**
 * Keeps the progress of a pass, and the lease. ARGV: owner, lease ms, pass (JSON), then key id and check value of keys
 * whose values it has found: they are needed at a start, whoever has forgotten that. Returns 1 while the lease is ours.
 */
export const savePassScript = defineScript(`${PRELUDE}
if not ours() then return 0 end
redis.call('HSET', reseal, 'pass', ARGV[3], 'owner_until', at + tonumber(ARGV[2]))
redis.call('HDEL', reseal, 'finished_at')
for i = 4, #ARGV, 2 do redis.call('HSETNX', checks, ARGV[i], ARGV[i + 1]) end
return 1
`);

/**
 * A pass has seen everything. Keys it has found no use of are dropped, unless somebody has sealed with them since it
 * began, or holds them in his spool. ARGV: owner, pass (JSON), when it began, uses (JSON), ms after which a silent
 * process counts as gone, then the ids of those keys.
 * Returns {1 while the lease was ours, ids dropped}.
 */
export const finishPassScript = defineScript(`${PRELUDE}
if not ours() then return {0, {}} end
redis.call('HSET', reseal, 'pass', ARGV[2], 'finished_at', at, 'uses', ARGV[4])
local dropped = {}
for i = 6, #ARGV do
  local id = ARGV[i]
  local unused = tonumber(redis.call('HGET', sealing, id) or '0') < tonumber(ARGV[3])
  for _, process in ipairs(notes()) do
    if process.note.spooled[id] and process.seen >= at - tonumber(ARGV[5]) then unused = false end
  end
  if unused then
    redis.call('HDEL', checks, id)
    redis.call('HDEL', sealing, id)
    dropped[#dropped + 1] = id
  end
end
return {1, dropped}
`);

/** ARGV: owner. */
export const releaseLeaseScript = defineScript(`${PRELUDE}
if ours() then redis.call('HDEL', reseal, 'owner', 'owner_until') end
return 1
`);
