/**
 * What every session script starts with. KEYS[1] is the app's base key; all keys of an app share its hash tag.
 *
 * <base>:session:<id>          hash, the record (fields: session-record.ts)
 * <base>:session:<id>:tokens   sealed token set that is not verified yet; never served
 * <base>:open                  sorted set: sessions that have something left to be done, by when they were last touched
 * <base>:sessions, <base>:user:<open_id>, <base>:client:<id>   sorted sets by creation, for lists
 * <base>:ended                 sorted set by end, for retention
 * <base>:polling               sorted set: sessions with a live link, by the link's end
 * <base>:grants               sorted set: users with a grant, by when it ends unless it is renewed
 * <base>:live:<client>:<open_id>  the live session of that client and user
 * <base>:message:<message_id>  the session a message shows (it moves on when a session is restarted)
 * <base>:hold:<message_id>     sorted set: clicks in hand, by the time until which a PATCH must wait for their acks
 * <base>:lock:<message_id>     whoever updates the message right now
 * <base>:cards:<open_id>       list: when cards were sent to the user in the last hour
 * <base>:unclicked             how many sessions have expired without a click since the last click of anybody
 *
 * Time is Redis's. `changed` is called for every change that a card shows.
 */
export const PRELUDE = `
local base = KEYS[1]
local function now()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end
local function key(id) return base .. ':session:' .. id end
local function islive(state) return state == 'pending' or state == 'authorizing' end
local function read(id)
  local flat = redis.call('HGETALL', key(id))
  local s = {}
  for i = 1, #flat, 2 do s[flat[i]] = flat[i + 1] end
  return s
end
local function touch(id, at) redis.call('ZADD', base .. ':open', at, id) end
local function announce(id) redis.call('PUBLISH', base .. ':changes', id) end
local function changed(id, at)
  redis.call('HINCRBY', key(id), 'version', 1)
  touch(id, at)
  announce(id)
end
local function unlinked(id)
  redis.call('HDEL', key(id), 'link', 'link_expires_at', 'poll_until', 'poll_after', 'grace_until', 'claimed_at', 'code',
    'code_at')
  redis.call('ZREM', base .. ':polling', id)
end
local function finish(id, state, at)
  local s = redis.call('HMGET', key(id), 'client_id', 'open_id')
  redis.call('HSET', key(id), 'state', state, 'ended_at', at, 'link_state', 'none')
  unlinked(id)
  redis.call('DEL', key(id) .. ':tokens')
  local livekey = base .. ':live:' .. s[1] .. ':' .. s[2]
  if redis.call('GET', livekey) == id then redis.call('DEL', livekey) end
  redis.call('ZADD', base .. ':ended', at, id)
  changed(id, at)
end
local function fail(id, reason, detail, at)
  redis.call('HSET', key(id), 'failure_reason', reason, 'failure_detail', detail)
  finish(id, 'failed', at)
end
-- Ends a session whose time is over, unless tokens are there or may be on their way. Returns 0 when it has ended,
-- else the milliseconds after which to look again, or -1 when there is nothing to expire.
local function expire(id, s, at)
  if not islive(s.state) then return -1 end
  if s.link_state == 'settling' and redis.call('EXISTS', key(id) .. ':tokens') == 1 then return 15000 end
  local left = tonumber(s.expires_at) - at
  if left > 0 then return left end
  if s.link_state == 'claimed' then
    -- She has asked for a link in time; it extends the session when it is there.
    local claimed = tonumber(s.claimed_at or '0') + 60000
    if claimed > at then return math.min(claimed - at, 2000) end
  end
  local intent = tonumber(s.poll_until or '0')
  if intent > at then return intent - at end
  if intent > 0 then
    -- A poll was begun and nobody told how it went (crash, spool): leave time to bring its tokens.
    local grace = tonumber(s.grace_until or '0')
    if grace == 0 then
      grace = at + 15000
      redis.call('HSET', key(id), 'grace_until', grace)
    end
    if grace > at then return grace - at end
  end
  if not s.clicks and s.shown_as ~= 'link' then redis.call('INCR', base .. ':unclicked') end
  finish(id, 'expired', at)
  return 0
end
-- A session with nothing left to do leaves the set that the reconciler walks.
local function close(id)
  local s = redis.call('HMGET', key(id), 'state', 'version', 'shown_version', 'card_gone')
  if s[1] and islive(s[1]) then return end
  if redis.call('EXISTS', key(id) .. ':tokens') == 1 then return end
  if not s[1] or s[4] or tonumber(s[3]) >= tonumber(s[2]) then redis.call('ZREM', base .. ':open', id) end
end
local function insert(id, at, ttl, fields)
  redis.call('HSET', key(id), 'created_at', at, 'expires_at', at + ttl, 'version', 1, 'shown_version', 0, unpack(fields))
  local s = redis.call('HMGET', key(id), 'client_id', 'open_id')
  redis.call('SET', base .. ':live:' .. s[1] .. ':' .. s[2], id)
  redis.call('ZADD', base .. ':sessions', at, id)
  redis.call('ZADD', base .. ':user:' .. s[2], at, id)
  redis.call('ZADD', base .. ':client:' .. s[1], at, id)
  touch(id, at)
  announce(id)
end
`;
