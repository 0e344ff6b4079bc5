/** Scripts of a consent link: made, polled, dead; and of the tokens it brings until they are the user's grant. */
import { defineScript } from '../script.js';
import { PRELUDE } from './prelude.js';

/**
 * Remembers a made link. Near its end the session is extended once to the link's life; a later link ends with it.
 * ARGV: id, number, link (sealed), life ms (0: as long as the session). Returns 1, or 0 when that link is not wanted
 * any more.
 */
export const storeLinkScript = defineScript(`${PRELUDE}
local id, at = ARGV[1], now()
local s = redis.call('HMGET', key(id), 'state', 'link_state', 'link_number', 'expires_at', 'extended')
if s[1] ~= 'authorizing' or s[2] ~= 'claimed' or s[3] ~= ARGV[2] then return 0 end
local ends = ARGV[4] == '0' and tonumber(s[4]) or at + tonumber(ARGV[4])
if ends > tonumber(s[4]) then
  if s[5] then ends = tonumber(s[4]) else redis.call('HSET', key(id), 'expires_at', ends, 'extended', 1) end
end
redis.call('HSET', key(id), 'link_state', 'live', 'link', ARGV[3], 'link_expires_at', ends)
redis.call('HDEL', key(id), 'claimed_at')
redis.call('ZADD', base .. ':polling', ends, id)
changed(id, at)
return 1
`);

/** No link could be made: the user may ask again. ARGV: id, number. Returns 1 when it was still wanted. */
export const releaseLinkScript = defineScript(`${PRELUDE}
local id = ARGV[1]
local s = redis.call('HMGET', key(id), 'state', 'link_state', 'link_number')
if s[1] ~= 'authorizing' or s[2] ~= 'claimed' or s[3] ~= ARGV[2] then return 0 end
redis.call('HSET', key(id), 'link_state', ARGV[2] == '1' and 'none' or 'dead')
redis.call('HDEL', key(id), 'claimed_at')
changed(id, now())
return 1
`);

/**
 * Writes the intent to poll (so proves the store writable) and says whether to. ARGV: id, number, longest time the
 * poll takes ms, margin after the link's end ms.
 * Returns {'poll', record, now, waiting links} | {'settle', record} | {'dead'} | {'stale'}.
 */
export const beginPollScript = defineScript(`${PRELUDE}
local id, at = ARGV[1], now()
local s = read(id)
if redis.call('EXISTS', key(id) .. ':tokens') == 1 then return {'settle', redis.call('HGETALL', key(id)), at, 0} end
if s.state ~= 'authorizing' or s.link_state ~= 'live' or s.link_number ~= ARGV[2] then return {'stale'} end
if not s.code and tonumber(s.link_expires_at) + tonumber(ARGV[4]) < at then
  unlinked(id)
  redis.call('HSET', key(id), 'link_state', 'dead')
  changed(id, at)
  return {'dead'}
end
redis.call('HSET', key(id), 'poll_until', at + tonumber(ARGV[3]))
redis.call('HDEL', key(id), 'grace_until')
redis.call('ZREMRANGEBYSCORE', base .. ':polling', '-inf', at - 60000)
return {'poll', redis.call('HGETALL', key(id)), at, redis.call('ZCARD', base .. ':polling')}
`);

/**
 * The poll brought no tokens. ARGV: id, number, interval ms before the next poll may go, '' or the link with a longer
 * interval (sealed).
 */
export const endPollScript = defineScript(`${PRELUDE}
local id = ARGV[1]
redis.call('HDEL', key(id), 'poll_until', 'grace_until')
local s = redis.call('HMGET', key(id), 'link_state', 'link_number')
if s[1] ~= 'live' or s[2] ~= ARGV[2] then return 0 end
redis.call('HSET', key(id), 'poll_after', now() + tonumber(ARGV[3]))
if ARGV[4] ~= '' then redis.call('HSET', key(id), 'link', ARGV[4]) end
return 1
`);

/** The link has ended without consent. ARGV: id, number. Returns 1 when it was live. */
export const linkDeadScript = defineScript(`${PRELUDE}
local id = ARGV[1]
local s = redis.call('HMGET', key(id), 'state', 'link_state', 'link_number')
if s[1] ~= 'authorizing' or s[2] ~= 'live' or s[3] ~= ARGV[2] then return 0 end
unlinked(id)
redis.call('HSET', key(id), 'link_state', 'dead')
changed(id, now())
return 1
`);

/** She refused on Feishu's page. ARGV: id, number. Returns 1 when it has ended now. */
export const rejectScript = defineScript(`${PRELUDE}
local id = ARGV[1]
local s = redis.call('HMGET', key(id), 'state', 'link_number')
if s[1] ~= 'authorizing' or s[2] ~= ARGV[2] then return 0 end
finish(id, 'rejected', now())
return 1
`);

/**
 * Keeps fresh tokens under the session's own key before anything else. ARGV: id, token set (sealed, with its link's
 * number in front).
 * Returns 'kept' | 'dropped' (she declined or an operator ended it meanwhile) | 'unknown' (no such session).
 */
export const keepTokensScript = defineScript(`${PRELUDE}
local id, at = ARGV[1], now()
local s = redis.call('HMGET', key(id), 'state', 'link_state')
if not s[1] then return 'unknown' end
if s[1] ~= 'authorizing' and s[1] ~= 'superseded' and s[1] ~= 'expired' then return 'dropped' end
redis.call('SET', key(id) .. ':tokens', ARGV[2])
unlinked(id)
redis.call('HSET', key(id), 'link_state', 'settling')
touch(id, at)
announce(id)
return 'kept'
`);

/** Who consented cannot be verified yet: the card says so. ARGV: id. */
export const confirmingScript = defineScript(`${PRELUDE}
local id = ARGV[1]
local s = redis.call('HMGET', key(id), 'state', 'confirming')
if s[1] ~= 'authorizing' or s[2] then return 0 end
redis.call('HSET', key(id), 'confirming', 1)
changed(id, now())
return 1
`);

/**
 * The right user consented: the kept tokens become her grant, the session ends. ARGV: id, generation the grant has
 * now (0: none), grant value, granted scopes, missing scopes, failure_detail for missing ones, when to look at the grant
 * first ('': not at all), when it ends unless it is renewed, ms.
 * Returns {'done'} | {'conflict', generation} | {'stale'} (nothing is kept any more).
 */
export const settleScript = defineScript(`${PRELUDE}
local id, at = ARGV[1], now()
local s = redis.call('HMGET', key(id), 'state', 'open_id')
if redis.call('EXISTS', key(id) .. ':tokens') == 0 then return {'stale'} end
local grantkey = base .. ':grant:' .. s[2]
local generation = string.match(redis.call('GETRANGE', grantkey, 0, 20), '^(%d+):') or '0'
if generation ~= ARGV[2] then return {'conflict', generation} end
redis.call('SET', grantkey, ARGV[3])
redis.call('DEL', grantkey .. ':state')
if ARGV[7] == '' then redis.call('ZREM', base .. ':due', s[2]) else redis.call('ZADD', base .. ':due', ARGV[7], s[2]) end
redis.call('PUBLISH', base .. ':changes', 'grant:' .. s[2])
redis.call('ZADD', base .. ':grants', ARGV[8], s[2])
redis.call('ZREM', base .. ':grants:marked', s[2])
redis.call('DEL', key(id) .. ':tokens')
if islive(s[1]) then
  redis.call('HSET', key(id), 'granted_scopes', ARGV[4], 'missing_scopes', ARGV[5])
  if ARGV[5] == '' then finish(id, 'completed', at) else fail(id, 'insufficient_scope', ARGV[6], at) end
else
  redis.call('HSET', key(id), 'link_state', 'none')
  close(id)
end
return {'done'}
`);

/**
 * Another account consented: its tokens go, nothing is stored. ARGV: id, most mismatches, failure_detail.
 * Returns how many mismatches the session has seen, 0 when nothing was kept.
 */
export const mismatchScript = defineScript(`${PRELUDE}
local id, at = ARGV[1], now()
if redis.call('DEL', key(id) .. ':tokens') == 0 then return 0 end
local s = redis.call('HMGET', key(id), 'state', 'next_session_id')
if not islive(s[1]) then
  redis.call('HSET', key(id), 'link_state', 'none')
  close(id)
  return 0
end
if s[2] then
  -- A wider request has replaced it while these tokens were being verified.
  finish(id, 'superseded', at)
  return 0
end
redis.call('HDEL', key(id), 'confirming')
local count = redis.call('HINCRBY', key(id), 'mismatches', 1)
if count >= tonumber(ARGV[2]) then
  fail(id, 'identity_mismatch', ARGV[3], at)
else
  redis.call('HSET', key(id), 'link_state', 'wrong_account')
  changed(id, at)
end
return count
`);

/** The kept tokens can not be verified, or are not there any more. A live session offers a new link. ARGV: id. */
export const dropTokensScript = defineScript(`${PRELUDE}
local id = ARGV[1]
redis.call('DEL', key(id) .. ':tokens')
local s = redis.call('HMGET', key(id), 'state', 'link_state')
if s[2] == 'settling' then
  redis.call('HSET', key(id), 'link_state', 'dead')
  if islive(s[1]) then changed(id, now()) end
end
close(id)
return 1
`);
