/**
 * The script behind the status page: what an app's sessions and grants are like. Counts are lengths and searches by
 * halves; of the sessions of the last while no more than a bound of them is looked at, newest first, so that it costs
 * the same whatever Redis holds.
 */
import { defineScript } from '../script.js';
import { MARKED } from './marking.js';
import { PRELUDE } from './prelude.js';

/**
 * ARGV: the while, ms; how many sessions to look at; how many of them to name. Returns {
 *   sessions of the while,
 *   flat list of state, count, …, flat list of failure_reason, count, …,
 *   the newest: flat list of session id, state, failure_reason or '', client_id, created_at, ended_at or '' …,
 *   grants suspended, to be authorized again, revoked,
 *   cards in a row that expired without a click,
 *   ms that no grant of the app is refreshed, detail (JSON) or '' }
 */
export const overviewScript = defineScript(`${PRELUDE}
local at, index, grants = now(), base .. ':sessions', base .. ':grants'
local since = string.format('%.0f', at - tonumber(ARGV[1]))
local states, reasons, newest = {}, {}, {}
local function add(counts, name) counts[name] = (counts[name] or 0) + 1 end
local function flat(counts)
  local list = {}
  for name, count in pairs(counts) do
    list[#list + 1] = name
    list[#list + 1] = count
  end
  return list
end
for i, id in ipairs(redis.call('ZREVRANGEBYSCORE', index, '+inf', since, 'LIMIT', 0, ARGV[2])) do
  local s = redis.call('HMGET', key(id), 'state', 'failure_reason', 'client_id', 'created_at', 'ended_at')
  if s[1] then
    add(states, s[1])
    if s[2] then add(reasons, s[2]) end
    if i <= tonumber(ARGV[3]) then
      for _, value in ipairs({id, s[1], s[2] or '', s[3] or '', s[4] or '', s[5] or ''}) do newest[#newest + 1] = value end
    end
  end
end
local function marked(score) return redis.call('ZCOUNT', grants .. ':marked', score, score) end
local halt = redis.call('HMGET', base .. ':refresh:halt', 'until', 'detail')
-- A grant whose end has come by itself is not marked.
local over = redis.call('ZCOUNT', grants, '-inf', string.format('%.0f', at))
return {redis.call('ZCOUNT', index, since, '+inf'), flat(states), flat(reasons), newest,
  marked(${MARKED.suspended}), marked(${MARKED.reauthorization_required}) + over, marked(${MARKED.revoked}),
  tonumber(redis.call('GET', base .. ':unclicked') or '0'),
  math.max(0, tonumber(halt[1] or '0') - at), halt[2] or ''}
`);
