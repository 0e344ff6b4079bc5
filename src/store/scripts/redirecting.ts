/**
 * Scripts of the authorization code grant: what her browser brings back by a link. A link works from the moment its
 * card is shown: the click that asks for it may be lost, or come after the redirect.
 */
import { defineScript } from '../script.js';
import { PRELUDE } from './prelude.js';

/** `current(s)`: the number of the link the session has now, or will have when she asks. */
const CURRENT = `
local function current(s)
  local has = s.link_state == 'live' or s.link_state == 'claimed' or s.link_state == 'settling'
  return tonumber(s.link_number or '0') + (has and 0 or 1)
end
`;

/**
 * Takes a code into the record before anything is done with it. ARGV: id, link number, link with the code (sealed),
 * fingerprint of the code, how long the session cannot expire for it ms, most useless codes in a window of so many ms.
 * Returns {verdict, record, 1 when its time was over and it has expired now}: taken (it is to be exchanged), same (it
 * was the last one taken), useless (it was tried before), busy (another one is being exchanged), limited (too many were
 * useless; the same one may come again), used (not the session's link any more), ended; or {'unknown'}.
 */
export const receiveCodeScript = defineScript(`${PRELUDE}${CURRENT}
local id, at = ARGV[1], now()
local s = read(id)
if not s.state then return {'unknown'} end
local verdict, over = 'taken', false
if s.code_hash == ARGV[4] then verdict = 'same'
elseif s.useless_codes and string.find(s.useless_codes, ARGV[4], 1, true) then verdict = 'useless'
else
  over = islive(s.state) and expire(id, s, at) == 0
  if over or not islive(s.state) then verdict = 'ended'
  elseif s.link_state == 'settling' or current(s) ~= tonumber(ARGV[2]) then verdict = 'used'
  elseif s.code then verdict = 'busy'
  elseif tonumber(s.useless_count or '0') >= tonumber(ARGV[6]) and at - tonumber(s.useless_since) < tonumber(ARGV[7])
    then verdict = 'limited'
  end
end
if verdict == 'taken' then
  redis.call('HSET', key(id), 'state', 'authorizing', 'link_number', ARGV[2], 'link_state', 'live', 'link', ARGV[3],
    'link_expires_at', s.expires_at, 'code', 'waiting', 'code_at', at, 'code_hash', ARGV[4],
    'poll_until', at + tonumber(ARGV[5]))
  redis.call('HDEL', key(id), 'claimed_at', 'grace_until', 'code_failure')
  touch(id, at)
  announce(id)
end
return {verdict, redis.call('HGETALL', key(id)), over and 1 or 0}
`);

/**
 * The code in hand is tried again later, so the session must not expire before. ARGV: id, link number, for how long ms,
 * life of a code ms. Returns 1 when it was in hand.
 */
export const holdCodeScript = defineScript(`${PRELUDE}
local id, at = ARGV[1], now()
local s = redis.call('HMGET', key(id), 'code_at', 'link_number', 'poll_until')
if not s[1] or s[2] ~= ARGV[2] then return 0 end
local untilms = math.min(at + tonumber(ARGV[3]), tonumber(s[1]) + tonumber(ARGV[4]))
if untilms > tonumber(s[3] or '0') then redis.call('HSET', key(id), 'poll_until', untilms) end
return 1
`);

/**
 * The code was of no use; the link still is. The last 16 useless ones are remembered, so that nobody can keep her own
 * code waiting by bringing theirs again and again, and counted, as each has cost a call. ARGV: id, link number, link
 * without it (sealed), failure_detail, window of the count ms. Returns 1 when it was in hand.
 */
export const dropCodeScript = defineScript(`${PRELUDE}
local id, at = ARGV[1], now()
local s = redis.call('HMGET', key(id), 'code', 'link_number', 'code_hash', 'useless_codes', 'useless_since')
if not s[1] or s[2] ~= ARGV[2] then return 0 end
local useless = string.sub(s[3] .. ' ' .. (s[4] or ''), 1, 16 * 44)
redis.call('HSET', key(id), 'link', ARGV[3], 'code_failure', ARGV[4], 'useless_codes', useless)
redis.call('HDEL', key(id), 'code', 'code_at', 'poll_until', 'grace_until')
if not s[5] or at - tonumber(s[5]) >= tonumber(ARGV[5]) then
  redis.call('HSET', key(id), 'useless_since', at, 'useless_count', 0)
end
redis.call('HINCRBY', key(id), 'useless_count', 1)
touch(id, at)
announce(id)
return 1
`);

/**
 * She refused on Feishu's page, and her browser says so. ARGV: id, link number.
 * Returns {verdict, record, 1 when its time was over and it has expired now}: rejected (ended now), ended, used (not
 * the session's link any more); or {'unknown'}.
 */
export const refuseLinkScript = defineScript(`${PRELUDE}${CURRENT}
local id, at = ARGV[1], now()
local s = read(id)
if not s.state then return {'unknown'} end
local verdict = 'rejected'
local over = islive(s.state) and expire(id, s, at) == 0
if over or not islive(s.state) then verdict = 'ended'
elseif s.link_state == 'settling' or s.code or current(s) ~= tonumber(ARGV[2]) then verdict = 'used'
else finish(id, 'rejected', at) end
return {verdict, redis.call('HGETALL', key(id)), over and 1 or 0}
`);
