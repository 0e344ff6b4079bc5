/**
 * The scripts of the call budget. Times are Redis's, in milliseconds. All keys of a call carry the app's hash tag.
 *
 * A log is a LIST of the times at which calls were granted, newest first, never decreasing towards the head. A bound
 * of n calls per window holds for a call at time t when the n-th newest entry is at least a window older than t. So a
 * check is one LINDEX, and the answer is exact: a sliding log, no fixed windows that let 2n through at their seam.
 */
import { defineScript } from '../script.js';

/**
 * KEYS: the log of app and API, its pause; then for each gate its log and its pause.
 * ARGV: longest wait, window of "second", window of "minute" (both with the margin), per second, per minute;
 *       then for each gate per second, per minute (0: no such bound).
 * Answer: {1, wait} when granted, {0, retry after} when not; then nothing was written.
 *
 * Waiting is first come, first served in the log of the API, so its entries may lie in the future. A gate (a class's
 * share, a message, a chat) never makes its caller reserve the future: that would push everybody else behind it.
 */
export const reserveScript = defineScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local longest, second, minute = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local function pause_end(key)
  local left = redis.call('PTTL', key)
  if left > 0 then return now + left end
  return 0
end

local function free_at(log, per_second, per_minute)
  local at = 0
  if per_second > 0 then
    local entry = redis.call('LINDEX', log, per_second - 1)
    if entry then at = entry + second end
  end
  if per_minute > 0 then
    local entry = redis.call('LINDEX', log, per_minute - 1)
    if entry then at = math.max(at, entry + minute) end
  end
  return at
end

local per_second, per_minute = tonumber(ARGV[4]), tonumber(ARGV[5])
local newest = redis.call('LINDEX', KEYS[1], 0)
-- An entry further ahead than any reservation: Redis's clock was set back. The log is of no use then.
local furthest = 60000
if newest and newest - now > furthest then
  redis.call('DEL', KEYS[1])
  newest = false
end
local at = math.max(now, pause_end(KEYS[2]), free_at(KEYS[1], per_second, per_minute))
if newest then at = math.max(at, tonumber(newest)) end
if at - now > longest then return {0, at - now} end

local gates = (#KEYS - 2) / 2
local open_at = 0
for i = 1, gates do
  local log, pause = KEYS[1 + 2 * i], KEYS[2 + 2 * i]
  local newest_here = redis.call('LINDEX', log, 0)
  if newest_here and newest_here - now > furthest then redis.call('DEL', log) end
  local free = math.max(pause_end(pause), free_at(log, tonumber(ARGV[4 + 2 * i]), tonumber(ARGV[5 + 2 * i])))
  open_at = math.max(open_at, free)
end
if open_at > at then return {0, open_at - now} end

local entry = string.format('%.0f', at)
local function note(log, per_second_here, per_minute_here)
  redis.call('LPUSH', log, entry)
  redis.call('LTRIM', log, 0, math.max(per_second_here, per_minute_here) - 1)
  local window = second
  if per_minute_here > 0 then window = minute end
  redis.call('PEXPIRE', log, math.ceil(at - now + window))
end
note(KEYS[1], per_second, per_minute)
for i = 1, gates do note(KEYS[1 + 2 * i], tonumber(ARGV[4 + 2 * i]), tonumber(ARGV[5 + 2 * i])) end
return {1, at - now}
`);

/** KEYS: a pause. ARGV: milliseconds. The longer of two pauses holds. */
export const pauseScript = defineScript(`
local ms = tonumber(ARGV[1])
if redis.call('PTTL', KEYS[1]) < ms then redis.call('SET', KEYS[1], '1', 'PX', ms) end
return 1
`);

/**
 * How much is used. KEYS: logs. ARGV: window ms. Returns the entries of each that are not older than that: times never
 * grow towards the tail, so a search by halves finds the first that is.
 */
export const usedScript = defineScript(`
local time = redis.call('TIME')
local since = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[1])
local counts = {}
for i, log in ipairs(KEYS) do
  local low, high = 0, redis.call('LLEN', log)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if tonumber(redis.call('LINDEX', log, middle)) > since then low = middle + 1 else high = middle end
  end
  counts[i] = low
end
return counts
`);
