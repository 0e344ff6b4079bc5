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
 * fingerprint of the code, how long the session cannot expire for it ms.
 * Returns {verdict, record}: taken (it is to be exchanged), same (it was the last one taken), useless (it was tried
 * before), busy (another one is being exchanged), used (not the session's link any more), ended; or {'unknown'}.
 */
export const receiveCodeScript = defineScript(`${PRELUDE}${CURRENT}
local id, at = ARGV[1], now()
local s = read(id)
if not s.state then return {'unknown'} end
local verdict = 'taken'
if s.code_hash == ARGV[4] then verdict = 'same'
elseif s.useless_codes and string.find(s.useless_codes, ARGV[4], 1, true) then verdict = 'useless'
elseif not islive(s.state) or expire(id, s, at) == 0 then verdict = 'ended'
elseif s.link_state == 'settling' or current(s) ~= tonumber(ARGV[2]) then verdict = 'used'
elseif s.code then verdict = 'busy'
end
if verdict == 'taken' then
  redis.call('HSET', key(id), 'state', 'authorizing', 'link_number', ARGV[2], 'link_state', 'live', 'link', ARGV[3],
    'link_expires_at', s.expires_at, 'code', 'waiting', 'code_hash', ARGV[4], 'poll_until', at + tonumber(ARGV[5]))
  redis.call('HDEL', key(id), 'claimed_at', 'grace_until', 'code_failure')
  touch(id, at)
  announce(id)
end
return {verdict, redis.call('HGETALL', key(id))}
`);

/**
 * The code was of no use; the link still is. The last 16 useless ones are remembered, so that nobody can keep her own
 * code waiting by bringing theirs again and again. ARGV: id, link number, link without it (sealed), failure_detail.
 * Returns 1 when it was in hand.
 */
export const dropCodeScript = defineScript(`${PRELUDE}
local id = ARGV[1]
local s = redis.call('HMGET', key(id), 'code', 'link_number', 'code_hash', 'useless_codes')
if not s[1] or s[2] ~= ARGV[2] then return 0 end
local useless = string.sub(s[3] .. ' ' .. (s[4] or ''), 1, 16 * 44)
redis.call('HSET', key(id), 'link', ARGV[3], 'code_failure', ARGV[4], 'useless_codes', useless)
redis.call('HDEL', key(id), 'code', 'poll_until', 'grace_until')
touch(id, now())
announce(id)
return 1
`);

/**
 * She refused on Feishu's page, and her browser says so. ARGV: id, link number.
 * Returns {verdict, record}: rejected (ended now), ended, used (not the session's link any more); or {'unknown'}.
 */
export const refuseLinkScript = defineScript(`${PRELUDE}${CURRENT}
local id, at = ARGV[1], now()
local s = read(id)
if not s.state then return {'unknown'} end
local verdict = 'rejected'
if not islive(s.state) or expire(id, s, at) == 0 then verdict = 'ended'
elseif s.link_state == 'settling' or s.code or current(s) ~= tonumber(ARGV[2]) then verdict = 'used'
else finish(id, 'rejected', at) end
return {verdict, redis.call('HGETALL', key(id))}
`);
