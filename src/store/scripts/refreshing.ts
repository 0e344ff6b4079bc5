/**
 * Scripts of a grant's upkeep: lease and intent of a refresh, what came of it, the schedule (ARCHITECTURE invariant 3).
 *
 * <base>:grant:<open_id>        the sealed grant, `<generation>:<sealed>`; only settle and commit write it
 * <base>:grant:<open_id>:state  hash beside it, never a token in it:
 *   lease, lease_until             who may call Feishu with this grant's refresh token, until when
 *   intent, intent_at, intent_by   the generation whose refresh token may have been sent, since when, by whom; stays when
 *                                  nobody knows whether Feishu has taken it
 *   of, status, detail             the generation the following is about; its end, or `suspended`
 *   failures, retry_at, lost_at    tries in a row, not before, "taken by somebody whose answer may still come" since
 *   used_at, asked_at              a client read a token; the user was asked again
 *   ask, notice                    since when a card must be sent (outbox)
 *   clients                        JSON list: whose grant it was, kept when the tokens are gone
 *   suspect_at                     Feishu has told of a withdrawal that is not verified yet
 * <base>:grants                 sorted set of open_ids by when their grant ends unless it is renewed; ended ones leave it
 * <base>:grants:marked          sorted set of open_ids by the `status` beside their grant (marking.ts)
 * <base>:due                    sorted set of open_ids by when to look at their grant
 * <base>:refresh:halt           hash: no refresh for the whole app until …, because an operator must act; `probe`: who looks
 *                               whether that is over
 * <base>:refresh:tries:<minute>, <base>:refresh:ends:<minute>   counts of the last ten minutes
 *
 * The generation is the fencing number: it only grows, and nothing is written for one that is not stored any more.
 * Time is Redis's.
 */
import { defineScript } from '../script.js';
import { MARKING } from './marking.js';
import { RUN_SINCE } from './redis-run.js';

const PRELUDE = `
local base, user = KEYS[1], ARGV[1]
local grant = base .. ':grant:' .. user
local state = grant .. ':state'
local due = base .. ':due'
local grants = base .. ':grants'
${MARKING}
local function now()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end
local function generation()
  return string.match(redis.call('GETRANGE', grant, 0, 20), '^(%d+):') or '0'
end
local function announce() redis.call('PUBLISH', base .. ':changes', 'grant:' .. user) end
-- Facts about an older generation say nothing about this one.
local function about(current)
  if redis.call('HGET', state, 'of') == current then return end
  redis.call('HDEL', state, 'detail', 'failures', 'retry_at', 'lost_at', 'ask', 'notice', 'clients')
  redis.call('HSET', state, 'of', current)
  unmark()
end
local function count(what, at)
  local minute = base .. ':refresh:' .. what .. ':' .. math.floor(at / 60000)
  redis.call('INCR', minute)
  redis.call('PEXPIRE', minute, 660000)
end
local function counted(what, at)
  local sum = 0
  for i = 0, 9 do
    sum = sum + tonumber(redis.call('GET', base .. ':refresh:' .. what .. ':' .. (math.floor(at / 60000) - i)) or '0')
  end
  return sum
end
local function release(owner)
  if redis.call('HGET', state, 'lease') == owner then redis.call('HDEL', state, 'lease', 'lease_until') end
end
local function nointent() redis.call('HDEL', state, 'intent', 'intent_at', 'intent_by') end
local function intend(current, owner, at)
  redis.call('HSET', state, 'intent', current, 'intent_at', at, 'intent_by', owner)
end
`;

/**
 * Takes the lease and writes the intent, which also proves the store writable. ARGV: user, generation, owner, lease ms,
 * force ('1': do not wait for retry_at or the halt), probe ms (how long nobody else tries while one looks whether a
 * halt may end), settle ms: behind a restart or failover of Redis (redis-run.ts) nobody begins for so long, while owners
 * take lost leases again and hand over lost successors.
 * Returns {'gone'} | {'changed'} | {'ended'} | {'busy', ms} | {'halted', ms, detail} | {'later', ms, detail}
 *   | {'await', ms} | {'lost', who may have sent it ('': nobody)} | {'go', now, who may have sent it before ('' : nobody)}
 */
export const beginRefreshScript = defineScript(`${PRELUDE}${RUN_SINCE}
local at, current = now(), generation()
if current == '0' then return {'gone'} end
if current ~= ARGV[2] then return {'changed'} end
about(current)
local s = redis.call('HMGET', state, 'status', 'lease_until', 'retry_at', 'detail', 'lost_at', 'intent', 'intent_by', 'lease')
if s[1] and s[1] ~= 'suspended' then return {'ended'} end
local left = tonumber(s[2] or '0') - at
local mine = s[8] == ARGV[3]
if left > 0 and not mine then return {'busy', left} end
local settling = run_since(at) + tonumber(ARGV[7]) - at
if settling > 0 and not mine then return {'busy', settling} end
if s[5] then
  if tonumber(s[5]) > at then return {'await', tonumber(s[5]) - at} end
  return {'lost', s[6] == current and s[7] or ''}
end
local halt = redis.call('HMGET', base .. ':refresh:halt', 'until', 'detail')
if halt[1] then
  local halted = tonumber(halt[1]) - at
  if halted > 0 and ARGV[5] ~= '1' then return {'halted', halted, halt[2]} end
  redis.call('HSET', base .. ':refresh:halt', 'until', at + tonumber(ARGV[6]), 'probe', ARGV[3])
end
local wait = tonumber(s[3] or '0') - at
if wait > 0 and ARGV[5] ~= '1' then return {'later', wait, s[4] or ''} end
local before = ''
if s[6] == current then before = s[7] or 'unknown' end
redis.call('HSET', state, 'lease', ARGV[3], 'lease_until', at + tonumber(ARGV[4]))
if before == '' then intend(current, ARGV[3], at) end
return {'go', at, before}
`);

/**
 * ARGV: user, generation, owner, lease ms. Returns 1 while the grant is the same and the lease is nobody else's: one that
 * Redis has lost is taken again, with its intent.
 */
export const renewLeaseScript = defineScript(`${PRELUDE}
local holder, at = redis.call('HGET', state, 'lease'), now()
if generation() ~= ARGV[2] or (holder and holder ~= ARGV[3]) then return 0 end
redis.call('HSET', state, 'lease', ARGV[3], 'lease_until', at + tonumber(ARGV[4]))
if not holder and redis.call('HGET', state, 'intent') ~= ARGV[2] then intend(ARGV[2], ARGV[3], at) end
return 1
`);

/**
 * The successor of a token set. Accepted whatever has been said about its predecessor meanwhile, as long as nothing newer
 * than that is stored; something older is what a Redis that has lost its last second came back with. A suspicion stays:
 * it may be younger than Feishu's answer. ARGV: user, generation, owner, new generation, new value, due at ('' : not at
 * all), when it ends unless it is renewed.
 * Returns 'done' | 'present' (it is there already) | 'changed' | 'gone'.
 */
export const commitRefreshScript = defineScript(`${PRELUDE}
local current = generation()
if current == '0' then return 'gone' end
if current == ARGV[4] then return 'present' end
if tonumber(current) > tonumber(ARGV[2]) then return 'changed' end
local at = now()
redis.call('SET', grant, ARGV[5])
redis.call('ZADD', grants, ARGV[7], user)
local kept = {'used_at', 'asked_at', 'suspect_at'}
local values = redis.call('HMGET', state, unpack(kept))
redis.call('DEL', state)
unmark()
for i, field in ipairs(kept) do
  if values[i] then redis.call('HSET', state, field, values[i]) end
end
if values[3] then redis.call('ZADD', due, at, user)
elseif ARGV[6] == '' then redis.call('ZREM', due, user)
else redis.call('ZADD', due, ARGV[6], user) end
redis.call('DEL', base .. ':refresh:halt')
count('tries', at)
announce()
return 'done'
`);

/**
 * The grant stays as it is. ARGV: user, generation, owner, delay ms, detail (JSON or ''), 'suspended' or '',
 * unknown ('1': Feishu may have taken the token), halt ms (0: none; else for the whole app, at first), lost ms (0: none;
 * else how long to wait for a successor that somebody else may hold), longest halt ms.
 * Nothing is changed by a process whose lease another one has taken over: that one knows more.
 * Returns how many halts there have been in a row when this is a new one, else 0; -1 when it is not that generation.
 */
export const keepGrantScript = defineScript(`${PRELUDE}
if generation() ~= ARGV[2] then return -1 end
local holder, at = redis.call('HGET', state, 'lease'), now()
if holder and holder ~= ARGV[3] then return 0 end
about(ARGV[2])
release(ARGV[3])
if ARGV[7] ~= '1' then nointent() end
redis.call('HINCRBY', state, 'failures', 1)
redis.call('HSET', state, 'retry_at', at + tonumber(ARGV[4]), 'detail', ARGV[5])
if ARGV[6] ~= '' then mark(ARGV[6]) else unmark() end
local halt, halts, halted = base .. ':refresh:halt', 0, 0
if tonumber(ARGV[8]) > 0 then
  -- Several answers of one moment are one halt; each that follows lasts twice as long.
  local probed = redis.call('HGET', halt, 'probe') == ARGV[3]
  if probed or tonumber(redis.call('HGET', halt, 'until') or '0') <= at then
    halts = redis.call('HINCRBY', halt, 'count', 1)
    halted = math.min(tonumber(ARGV[8]) * 2 ^ (halts - 1), tonumber(ARGV[10]))
    redis.call('HSET', halt, 'until', string.format('%.0f', at + halted), 'detail', ARGV[5])
    redis.call('HDEL', halt, 'probe')
  end
end
if tonumber(ARGV[9]) > 0 then redis.call('HSET', state, 'lost_at', at + tonumber(ARGV[9])) end
local look = math.max(tonumber(ARGV[4]), halted)
if tonumber(ARGV[9]) > 0 then look = tonumber(ARGV[9]) end
redis.call('ZADD', due, string.format('%.0f', at + look), user)
count('tries', at)
announce()
return halts
`);

/**
 * Ends a grant, unless it has changed, or too many end at once. ARGV: user, generation, owner, status, detail (JSON),
 * 'keep' | 'wipe' (the tokens), outbox field ('ask', 'notice' or ''), explained ('1': we know why), floor (so many
 * ends in ten minutes are always believed), part (above the floor, ends up to this part of the tries are), clients
 * (JSON; kept when the tokens are wiped).
 * Returns 'ended' | 'changed' | 'braked'.
 */
export const endGrantScript = defineScript(`${PRELUDE}
if generation() ~= ARGV[2] then return 'changed' end
local at = now()
about(ARGV[2])
count('tries', at)
if ARGV[8] ~= '1' then
  local ends = counted('ends', at) + 1
  if ends > tonumber(ARGV[9]) and ends > counted('tries', at) * tonumber(ARGV[10]) then return 'braked' end
  count('ends', at)
end
release(ARGV[3])
nointent()
redis.call('HDEL', state, 'retry_at', 'failures', 'lost_at', 'suspect_at', 'ask', 'notice')
redis.call('HSET', state, 'detail', ARGV[5])
redis.call('ZREM', grants, user)
mark(ARGV[4])
if ARGV[7] ~= '' then redis.call('HSET', state, ARGV[7], at) end
if ARGV[6] == 'wipe' then
  redis.call('DEL', grant)
  redis.call('HSET', state, 'of', '0', 'clients', ARGV[11])
end
if ARGV[7] == '' then redis.call('ZREM', due, user) else redis.call('ZADD', due, at, user) end
announce()
return 'ended'
`);

/** A client read a token. ARGV: user, due at when used ('' : not renewable). Brings the next look forward. */
export const noteUseScript = defineScript(`${PRELUDE}
if generation() == '0' then return 0 end
redis.call('HSET', state, 'used_at', now())
if ARGV[2] ~= '' then redis.call('ZADD', due, 'XX', 'LT', ARGV[2], user) end
return 1
`);

/** Feishu tells of a withdrawal: to be verified now. ARGV: user. Returns 1 when there is a grant. */
export const suspectScript = defineScript(`${PRELUDE}
if generation() == '0' then return 0 end
local at = now()
redis.call('HSET', state, 'suspect_at', at)
redis.call('HDEL', state, 'retry_at')
redis.call('ZADD', due, at, user)
return 1
`);

/** The suspicion was wrong, or is settled. ARGV: user. */
export const trustScript = defineScript(`${PRELUDE}
return redis.call('HDEL', state, 'suspect_at')
`);

/** An outbox field was carried out. ARGV: user, field, 'asked' to note when the user was asked. */
export const sentScript = defineScript(`${PRELUDE}
if redis.call('EXISTS', state) == 0 then return 0 end
redis.call('HDEL', state, ARGV[2])
if ARGV[3] == 'asked' then redis.call('HSET', state, 'asked_at', now()) end
return 1
`);

/** Looks at the grant again then. ARGV: user, at ('' : not any more). One that was forgotten is not looked at. */
export const lookAtScript = defineScript(`${PRELUDE}
if ARGV[2] == '' or redis.call('EXISTS', grant, state) == 0 then return redis.call('ZREM', due, user) end
return redis.call('ZADD', due, ARGV[2], user)
`);

/**
 * Forgets a grant and all about it. ARGV: user, generation ('' : whichever), 'revoked' to remember that it was withdrawn
 * and that she must be told ('' : not), clients (JSON). Returns 1 when there was one, else 0; a withdrawal of nothing
 * changes nothing.
 */
export const forgetGrantScript = defineScript(`${PRELUDE}
local current = generation()
if ARGV[2] ~= '' and current ~= ARGV[2] then return 0 end
if ARGV[3] ~= '' and current == '0' then return 0 end
local had = redis.call('DEL', grant)
redis.call('DEL', state)
redis.call('ZREM', due, user)
redis.call('ZREM', grants, user)
unmark()
if ARGV[3] ~= '' then
  mark(ARGV[3])
  local at = now()
  redis.call('HSET', state, 'of', '0', 'notice', at, 'clients', ARGV[4])
  redis.call('ZADD', due, at, user)
end
announce()
return had
`);

/**
 * Takes what is due; each is due again after the claim, should its job be lost. KEYS: base. ARGV: at most, claim ms.
 * Returns the open_ids.
 */
export const takeDueScript = defineScript(`
local due = KEYS[1] .. ':due'
local t = redis.call('TIME')
local at = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local users = redis.call('ZRANGEBYSCORE', due, '-inf', at, 'LIMIT', 0, ARGV[1])
for _, user in ipairs(users) do redis.call('ZADD', due, at + tonumber(ARGV[2]), user) end
return users
`);
