/** The script that counts an app's sessions and grants, from the lengths of sorted sets: no walk, whatever they hold. */
import { defineScript } from '../script.js';
import { PRELUDE } from './prelude.js';

/**
 * ARGV: spans ahead, ms. Returns {live sessions, grants that have not ended, then for each span how many of these end
 * within it unless they are renewed}. A session stands in `ended` from its end until it is deleted from both sets.
 */
export const countScript = defineScript(`${PRELUDE}
local at, grants = now(), base .. ':grants'
local after = string.format('(%.0f', at)
local counts = {
  redis.call('ZCARD', base .. ':sessions') - redis.call('ZCARD', base .. ':ended'),
  redis.call('ZCOUNT', grants, after, '+inf'),
}
for _, span in ipairs(ARGV) do
  counts[#counts + 1] = redis.call('ZCOUNT', grants, after, string.format('%.0f', at + tonumber(span)))
end
return counts
`);
