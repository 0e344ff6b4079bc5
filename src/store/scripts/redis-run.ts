/**
 * Since when Redis is the very one it is now. One that was started again, or took over from another one, may have lost
 * its last second: a lease, or a successor whose owner has it still. What must not happen twice waits for a while then.
 *
 * <base>:refresh:run   hash: `id` of the run that was seen last, `since` when; 0 for the first one
 */
import { defineScript } from '../script.js';

/** `run_since(at)`: milliseconds. Needs `base`. */
export const RUN_SINCE = `
local function run_since(at)
  local info = redis.pcall('INFO', 'server')
  local id = type(info) == 'string' and string.match(info, 'run_id:(%w+)')
  -- Somebody may have forbidden INFO.
  if not id then return 0 end
  local run = base .. ':refresh:run'
  local known = redis.call('HMGET', run, 'id', 'since')
  if known[1] == id then return tonumber(known[2]) end
  local since = known[1] and at or 0
  redis.call('HSET', run, 'id', id, 'since', since)
  return since
end
`;

/** Seen from now on, if it was not before. */
export const noteRunScript = defineScript(`
local base = KEYS[1]
${RUN_SINCE}
local t = redis.call('TIME')
return run_since(tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000))
`);
