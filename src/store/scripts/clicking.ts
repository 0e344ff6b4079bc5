/** Scripts of a click: judge it in one step, and note afterwards what its ack has shown. */
import { defineScript } from '../script.js';
import { PRELUDE } from './prelude.js';

/**
 * Judges operator, session, repetition; does at once what can be done at once.
 * ARGV: id, operator, action, message id of the callback or '', create_time ms or 0, hold owner, hold ms, oldest
 * click ms, how long a claimed link may be in the making, ms.
 * Returns {verdict, record, ms until Feishu may be asked again, 1 when its time was over and it has expired now}. Verdicts without a record: unknown, gone (the
 * session is not there any more, its message is ours), foreign (with the
 * open_id of the user asked), too_old. With one: claimed (this click asked for link link_number), making (it is being
 * made), link, confirming, check (ask Feishu), declined, ended, restart (may be continued), continued (next_session_id
 * has the live one), revoke (the grant may be withdrawn), misplaced (there is nothing yet that could be).
 */
export const clickScript = defineScript(`${PRELUDE}
local id, action = ARGV[1], ARGV[3]
local at = now()
local s = read(id)
if not s.state then
  local ours = ARGV[4] ~= '' and redis.call('GET', base .. ':message:' .. ARGV[4]) == id
  return {ours and 'gone' or 'unknown'}
end
redis.call('DEL', base .. ':unclicked')
if s.open_id ~= ARGV[2] then return {'foreign', s.open_id} end
local created = tonumber(ARGV[5])
if created > 0 and at - created > tonumber(ARGV[8]) then return {'too_old'} end
if not s.message_id and ARGV[4] ~= '' then
  s.message_id = ARGV[4]
  redis.call('HSET', key(id), 'message_id', s.message_id)
  redis.call('SET', base .. ':message:' .. s.message_id, id)
end
local hold = base .. ':hold:' .. (s.message_id or id)
redis.call('ZADD', hold, at + tonumber(ARGV[7]), ARGV[6])
redis.call('PEXPIRE', hold, tonumber(ARGV[7]) + 1000)
redis.call('HINCRBY', key(id), 'clicks', 1)
touch(id, at)
local verdict = 'ended'
local over = islive(s.state) and expire(id, s, at) == 0
s.state = redis.call('HGET', key(id), 'state')
if action == 'revoke' then
  verdict = s.state == 'completed' and 'revoke' or 'misplaced'
elseif islive(s.state) then
  if action == 'decline' then
    finish(id, 'rejected', at)
    verdict = 'declined'
  elseif s.link_state == 'settling' then
    verdict = 'confirming'
  -- A code that waits for its tokens may outlive the session's time, and its link with it.
  elseif s.link_state == 'live' and (s.code or tonumber(s.link_expires_at) > at) then
    verdict = action == 'agreed' and 'check' or 'link'
  elseif s.link_state == 'claimed' and at - tonumber(s.claimed_at or '0') < tonumber(ARGV[9]) then
    verdict = 'making'
  elseif action == 'agreed' and s.link_state ~= 'live' then
    verdict = 'link'
  else
    unlinked(id)
    redis.call('HINCRBY', key(id), 'link_number', 1)
    redis.call('HSET', key(id), 'state', 'authorizing', 'link_state', 'claimed', 'claimed_at', at)
    announce(id)
    verdict = 'claimed'
  end
elseif action == 'restart' then
  if s.next_session_id then verdict = 'continued'
  elseif s.state == 'expired' or s.state == 'failed' or s.state == 'rejected' then verdict = 'restart' end
end
return {verdict, redis.call('HGETALL', key(id)), math.max(0, tonumber(s.poll_after or '0') - at), over and 1 or 0}
`);

/**
 * The ack of a click has left: PATCHes may go again. ARGV: id, hold owner, version the ack's card has shown or 0, how
 * long before its ack a click may have been made ms. Returns 1 when the message is behind its session, or may be: an
 * ack without a card undoes a PATCH that was applied after the click; a PATCH without an answer may come after the ack.
 */
export const ackedScript = defineScript(`${PRELUDE}
local id, at = ARGV[1], now()
local s = redis.call('HMGET', key(id), 'message_id', 'version', 'shown_version', 'uncertain_until', 'patched_at',
  'crossed_at')
if not s[2] then return 0 end
redis.call('ZREM', base .. ':hold:' .. (s[1] or id), ARGV[2])
local version, shown = tonumber(s[2]), tonumber(s[3])
local undone = ARGV[3] == '0' and at - tonumber(s[5] or '0') < tonumber(ARGV[4])
if ARGV[3] ~= '0' then shown = tonumber(ARGV[3]) end
local crossed = at - tonumber(s[6] or '0') < tonumber(ARGV[4])
if undone or crossed or tonumber(s[4] or '0') > at then shown = math.min(shown, version - 1) end
redis.call('HSET', key(id), 'shown_version', shown)
if shown < version then touch(id, at) end
announce(id)
close(id)
return shown < version and 1 or 0
`);
