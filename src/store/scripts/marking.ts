/**
 * The `status` beside a grant (refreshing.ts), and `<base>:grants:marked`: users by that status, so that the grants of
 * each can be counted without a walk over them. Whoever writes the one writes the other: both are written here.
 */

/** The scores of the sorted set. */
export const MARKED = { suspended: 1, reauthorization_required: 2, revoked: 3 } as const;

const SCORES = Object.entries(MARKED).map(([status, score]) => `${status} = ${score}`);

/** Lua; `grants`, `state` and `user` are in scope. */
export const MARKING = `
local function unmark()
  redis.call('HDEL', state, 'status')
  redis.call('ZREM', grants .. ':marked', user)
end
local function mark(status)
  redis.call('HSET', state, 'status', status)
  redis.call('ZADD', grants .. ':marked', ({${SCORES.join(', ')}})[status], user)
end
`;
