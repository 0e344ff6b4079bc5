/** Scripts by which sessions are born and end by time, by an operator or by retention. */
import { defineScript } from '../script.js';
import { PRELUDE } from './prelude.js';

/**
 * Creates a session, or finds the live one that covers the request. Idempotent by id.
 * ARGV: id, client_id, open_id, scopes, text (sealed), chat_id, ttl ms, cards per hour, most scopes of one session.
 * Returns {'created', id, id of the session it has ended or '', how that one ended} | {'live', id, 1 when its card must
 * be sent again} | {'limited', ms} | {'too_many'} (together with the live session's scopes).
 */
export const createScript = defineScript(`${PRELUDE}
local id, client, user, scopes = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local at = now()
if redis.call('EXISTS', key(id)) == 1 then return {'created', id, '', ''} end
local old = redis.call('GET', base .. ':live:' .. client .. ':' .. user)
local o = old and read(old) or {}
local ended, how = '', ''
if old and not islive(o.state) then old = false end
if old and expire(old, o, at) == 0 then
  ended, how = old, 'expired'
  old = false
end
if old then
  local have, list, missing = {}, {}, false
  for scope in string.gmatch(o.scopes, '%S+') do
    have[scope] = true
    list[#list + 1] = scope
  end
  for scope in string.gmatch(scopes, '%S+') do
    if not have[scope] then
      missing = true
      list[#list + 1] = scope
    end
  end
  if not missing then
    if not o.card_gone then return {'live', old, 0} end
    -- Its card was recalled or deleted: the user gets another one.
    redis.call('HDEL', key(old), 'card_gone', 'message_id', 'sent_version', 'uncertain_until',
      'shown_as', 'said')
    redis.call('HSET', key(old), 'shown_version', 0)
    redis.call('HINCRBY', key(old), 'cards', 1)
    touch(old, at)
    return {'live', old, 1}
  end
  if #list > tonumber(ARGV[9]) then return {'too_many'} end
  scopes = table.concat(list, ' ')
end
local cards, limit = base .. ':cards:' .. user, tonumber(ARGV[8])
local nth = redis.call('LINDEX', cards, limit - 1)
if nth and at - tonumber(nth) < 3600000 then return {'limited', 3600000 - (at - tonumber(nth))} end
redis.call('LPUSH', cards, at)
redis.call('LTRIM', cards, 0, limit - 1)
redis.call('PEXPIRE', cards, 3600000)
insert(id, at, tonumber(ARGV[7]), {'client_id', client, 'open_id', user, 'scopes', scopes, 'state', 'pending',
  'link_state', 'none', 'link_number', 0, 'text', ARGV[5], 'chat_id', ARGV[6]})
if old then
  redis.call('HSET', key(old), 'next_session_id', id)
  if o.link_state ~= 'settling' then
    finish(old, 'superseded', at)
    ended, how = old, 'superseded'
  end
end
return {'created', id, ended, how}
`);

/**
 * Continues an ended session on the same message by a new one whose first link is being asked for. Idempotent.
 * ARGV: new id, old id, text (sealed for the new id), ttl ms. Returns {'created' | 'continued', id} | {'stale'}.
 */
export const restartScript = defineScript(`${PRELUDE}
local id, oldid = ARGV[1], ARGV[2]
local at = now()
local o = read(oldid)
if not o.state or islive(o.state) then return {'stale'} end
if o.next_session_id then return {'continued', o.next_session_id} end
local other = redis.call('GET', base .. ':live:' .. o.client_id .. ':' .. o.open_id)
if other and islive(redis.call('HGET', key(other), 'state')) then
  redis.call('HSET', key(oldid), 'next_session_id', other)
  return {'continued', other}
end
local fields = {'client_id', o.client_id, 'open_id', o.open_id, 'scopes', o.scopes, 'state', 'authorizing',
  'link_state', 'claimed', 'link_number', 1, 'claimed_at', at, 'text', ARGV[3], 'chat_id', o.chat_id, 'noticed', 1}
if o.message_id then
  fields[#fields + 1] = 'message_id'
  fields[#fields + 1] = o.message_id
  redis.call('SET', base .. ':message:' .. o.message_id, id)
end
if o.uncertain_until then
  fields[#fields + 1] = 'uncertain_until'
  fields[#fields + 1] = o.uncertain_until
end
insert(id, at, tonumber(ARGV[4]), fields)
redis.call('HSET', key(oldid), 'next_session_id', id)
return {'created', id}
`);

/**
 * ARGV: id. Returns {result, sessions expired without a click since the last click}; result: -1 nothing to expire,
 * 0 expired now, ms: look again after.
 */
export const expireScript = defineScript(`${PRELUDE}
local s = read(ARGV[1])
if not s.state then return {-1, 0} end
return {expire(ARGV[1], s, now()), tonumber(redis.call('GET', base .. ':unclicked') or '0')}
`);

/** ARGV: id. An operator ends it; already ended ones stay as they are. Returns 1 when it has ended now. */
export const invalidateScript = defineScript(`${PRELUDE}
local state = redis.call('HGET', key(ARGV[1]), 'state')
if not state or not islive(state) then return 0 end
finish(ARGV[1], 'invalidated', now())
return 1
`);

/** ARGV: id, failure_reason, failure_detail (JSON), '1' when no card can reach the user. Returns 1 when ended now. */
export const failScript = defineScript(`${PRELUDE}
local state = redis.call('HGET', key(ARGV[1]), 'state')
if not state or not islive(state) then return 0 end
if ARGV[4] == '1' then redis.call('HSET', key(ARGV[1]), 'card_gone', 1) end
fail(ARGV[1], ARGV[2], ARGV[3], now())
close(ARGV[1])
return 1
`);

/** ARGV: days in ms, at most how many. Deletes sessions that ended before. Returns how many. */
export const cleanupScript = defineScript(`${PRELUDE}
local ids = redis.call('ZRANGEBYSCORE', base .. ':ended', '-inf', now() - tonumber(ARGV[1]), 'LIMIT', 0, ARGV[2])
for _, id in ipairs(ids) do
  local s = redis.call('HMGET', key(id), 'client_id', 'open_id', 'message_id')
  if s[1] then
    redis.call('ZREM', base .. ':user:' .. s[2], id)
    redis.call('ZREM', base .. ':client:' .. s[1], id)
    if s[3] and redis.call('GET', base .. ':message:' .. s[3]) == id then
      -- Her card is still there, and a click on it is told from one of another store's for as long as Feishu updates it.
      redis.call('PEXPIRE', base .. ':message:' .. s[3], 14 * 86400000)
    end
  end
  redis.call('DEL', key(id), key(id) .. ':tokens')
  redis.call('ZREM', base .. ':sessions', id)
  redis.call('ZREM', base .. ':ended', id)
  redis.call('ZREM', base .. ':open', id)
  redis.call('ZREM', base .. ':polling', id)
end
return #ids
`);
