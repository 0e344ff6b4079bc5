/** Scripts of a message: who may update it now, and which version it is known to show. */
import { defineScript } from '../script.js';
import { PRELUDE } from './prelude.js';

/**
 * May this worker bring the message to the session's present state? ARGV: id, owner, lock ms, how users of its app are
 * asked ('card', 'link', or '' when that is not known here); what the session's first message was, stays.
 * Returns {'go', record} | {'held', ms} (a click is in hand) | {'busy', ms} (another worker is at it) | {'notice',
 * record} (the group has not got its notice) | {'moved', id} (the message belongs to a session that has continued this
 * one, and is behind it) | {'done', 1 when the session has ended}.
 */
export const beginCardScript = defineScript(`${PRELUDE}
local id, at = ARGV[1], now()
local s = read(id)
if not s.state then
  redis.call('ZREM', base .. ':open', id)
  return {'done', 1}
end
local message = s.message_id or id
if s.message_id then
  local shows = redis.call('GET', base .. ':message:' .. s.message_id)
  if shows and shows ~= id then
    redis.call('HSET', key(id), 'shown_version', s.version)
    close(id)
    local heir = redis.call('HMGET', key(shows), 'version', 'shown_version', 'card_gone')
    if heir[1] and not heir[3] and tonumber(heir[2]) < tonumber(heir[1]) then return {'moved', shows} end
    return {'done', islive(s.state) and 0 or 1}
  end
end
if not islive(s.state) and not s.message_id and not s.sent_version then
  -- It ended before its card was sent: nobody is told of a request she never saw.
  redis.call('HSET', key(id), 'card_gone', 1)
  s.card_gone = '1'
end
if s.card_gone or tonumber(s.shown_version) >= tonumber(s.version) then
  if s.message_id and s.chat_id ~= '' and not s.noticed then return {'notice', redis.call('HGETALL', key(id))} end
  close(id)
  return {'done', islive(s.state) and 0 or 1}
end
local hold = base .. ':hold:' .. message
redis.call('ZREMRANGEBYSCORE', hold, '-inf', at)
local last = redis.call('ZRANGE', hold, -1, -1, 'WITHSCORES')
if last[2] then return {'held', tonumber(last[2]) - at} end
local lock = base .. ':lock:' .. message
if not redis.call('SET', lock, ARGV[2], 'NX', 'PX', ARGV[3]) then return {'busy', redis.call('PTTL', lock)} end
if not s.message_id then
  redis.call('HSETNX', key(id), 'sent_version', s.version)
  if ARGV[4] ~= '' then redis.call('HSETNX', key(id), 'shown_as', ARGV[4]) end
end
return {'go', redis.call('HGETALL', key(id))}
`);

/**
 * The worker has heard that it may: keeps the lock for as long as an update may take. A first lock that nobody has
 * heard of (the command timed out, and Redis ran it later) is soon over. ARGV: id, owner, lock ms. Returns 1 or 0.
 */
export const keepCardScript = defineScript(`${PRELUDE}
local id = ARGV[1]
for _, name in ipairs({redis.call('HGET', key(id), 'message_id') or id, id}) do
  local lock = base .. ':lock:' .. name
  if redis.call('GET', lock) == ARGV[2] then
    redis.call('PEXPIRE', lock, ARGV[3])
    return 1
  end
end
return 0
`);

/**
 * How the update went. ARGV: id, owner, outcome, version rendered, clicks seen before, message id when sent,
 * how long a PATCH without an answer may still be applied ms, id of the news that was told.
 * Outcomes: sent, patched, told (a message of its own, or there was nothing to tell), gone (the message can never be
 * updated), uncertain (no answer), failed.
 * Returns -1 when the message shows the session's state, else after how many ms to update again.
 */
export const endCardScript = defineScript(`${PRELUDE}
local id, owner, outcome, version = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local at = now()
local s = read(id)
if not s.state then return -1 end
local lock = base .. ':lock:' .. (s.message_id or id)
if redis.call('GET', lock) == owner then redis.call('DEL', lock) end
if redis.call('GET', base .. ':lock:' .. id) == owner then redis.call('DEL', base .. ':lock:' .. id) end
local heir = s.message_id and redis.call('GET', base .. ':message:' .. s.message_id)
if heir and heir ~= id and (outcome == 'patched' or outcome == 'uncertain') then
  -- She started again meanwhile: this update has gone, or may go, over what the new session shows, also when the word
  -- that the ack of her click has left comes only after this.
  local h = redis.call('HMGET', key(heir), 'version', 'shown_version')
  if h[1] then
    local shown = math.min(tonumber(h[2]), tonumber(h[1]) - 1)
    redis.call('HSET', key(heir), 'shown_version', shown, 'crossed_at', at)
    if outcome == 'uncertain' then redis.call('HSET', key(heir), 'uncertain_until', at + tonumber(ARGV[7])) end
    touch(heir, at)
  end
end
if outcome == 'gone' then
  redis.call('HSET', key(id), 'card_gone', 1)
elseif outcome == 'sent' then
  -- A repeated send gives the message of the first one, with what that one showed.
  if s.message_id ~= ARGV[6] then
    redis.call('HSET', key(id), 'message_id', ARGV[6])
    redis.call('SET', base .. ':message:' .. ARGV[6], id)
  end
  if (s.clicks or '0') == ARGV[5] then redis.call('HSET', key(id), 'shown_version', s.sent_version or version) end
  announce(id)
elseif outcome == 'told' then
  if ARGV[8] ~= '' then redis.call('HSET', key(id), 'said', ARGV[8]) end
  if ARGV[6] ~= '' and not s.message_id then
    redis.call('HSET', key(id), 'message_id', ARGV[6])
    redis.call('SET', base .. ':message:' .. ARGV[6], id)
    announce(id)
  end
  redis.call('HSET', key(id), 'shown_version', math.max(tonumber(s.shown_version), version))
elseif outcome == 'uncertain' then
  redis.call('HSET', key(id), 'uncertain_until', at + tonumber(ARGV[7]))
elseif outcome == 'patched' then
  redis.call('HSET', key(id), 'patched_at', at)
  local uncertain = tonumber(s.uncertain_until or '0')
  if uncertain > at then return version < tonumber(s.version) and 0 or uncertain - at end
  redis.call('HDEL', key(id), 'uncertain_until')
  if (s.clicks or '0') == ARGV[5] then
    redis.call('HSET', key(id), 'shown_version', version)
  else
    -- A click crossed the PATCH: which of the two the message shows now is not known. Show it again, also when the
    -- word that its ack has left comes only after this.
    local shown = math.min(tonumber(s.shown_version), tonumber(s.version) - 1)
    redis.call('HSET', key(id), 'shown_version', shown, 'crossed_at', at)
  end
end
close(id)
local after = redis.call('HMGET', key(id), 'version', 'shown_version', 'card_gone')
if after[3] or tonumber(after[2]) >= tonumber(after[1]) then return -1 end
return 0
`);

/**
 * The message shows something that is not valid any more. ARGV: id. Messages are not changed: a live session whose user
 * is asked by them says its link once more, under a uuid of its own. Returns 1 when the session is live.
 */
export const redrawScript = defineScript(`${PRELUDE}
local id, at = ARGV[1], now()
local s = redis.call('HMGET', key(id), 'state', 'shown_as')
if not s[1] or not islive(s[1]) then return 0 end
if s[2] == 'link' then
  redis.call('HDEL', key(id), 'said')
  redis.call('HINCRBY', key(id), 'cards', 1)
end
changed(id, at)
return 1
`);
