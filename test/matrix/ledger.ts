/**
 * What Feishu's ledger must not show, whatever happened: a refresh token presented again after it was answered with
 * success, two calls at once, a storm of calls. Pure.
 *
 * The exact rule, for each refresh token: let R be the call that redeemed it. Every call that presents it after R must be
 * paid for by an earlier one, R or later, whose caller could not know what came of it: the answer was lost, was none of
 * Feishu's (no code in it), said that nothing was taken, or lies in a process that is dead or frozen. One call each.
 */
import type { Call } from '../simulator/call-ledger.js';

/** Final word: who has got it does not ask again. */
const USED = 20073;
/** Presentations of one token, whatever happens to them. */
const STORM = 4;

const hasAnswer = (call: Call): boolean => call.endedAt !== undefined && call.abandoned !== true && call.status !== 0;

/** Feishu's own word was there to be read. */
const isTold = (call: Call, silenced: Call | undefined): boolean =>
  call !== silenced && hasAnswer(call) && (call.code !== undefined || call.status === 429);

const mayAskAgain = (call: Call, silenced: Call | undefined): boolean =>
  !isTold(call, silenced) || (call.code !== 0 && call.code !== USED);

/** Sentences about what is wrong; `silenced`: the call whose caller was killed or frozen over it. */
export function wrongInLedger(refreshes: readonly Call[], silenced?: Call): string[] {
  const wrong: string[] = [];
  const generations = new Set(refreshes.map(({ generation }) => generation ?? 0));
  for (const generation of generations) {
    const calls = refreshes.filter((call) => (call.generation ?? 0) === generation).sort((a, b) => a.at - b.at);
    const name = `refresh token ${generation}`;
    wrong.push(...reused(calls, silenced).map((text) => `${name} ${text}`));
    wrong.push(...overlapping(calls, silenced).map((text) => `${name} ${text}`));
    if (calls.length > STORM) wrong.push(`${name} was presented ${calls.length} times`);
  }
  return wrong;
}

function reused(calls: readonly Call[], silenced: Call | undefined): string[] {
  const redeeming = calls.find(({ redeemedAt }) => redeemedAt !== undefined);
  if (redeeming === undefined) return [];
  let credit = mayAskAgain(redeeming, silenced) ? 1 : 0;
  for (const call of calls) {
    if (call === redeeming || call.at < (redeeming.redeemedAt ?? 0)) continue;
    if (credit === 0) return ['was presented again after Feishu had answered it with success'];
    credit += mayAskAgain(call, silenced) ? 0 : -1;
  }
  return [];
}

function overlapping(calls: readonly Call[], silenced: Call | undefined): string[] {
  return calls.flatMap((call, i) => {
    const next = calls[i + 1];
    if (next === undefined || call === silenced || call.abandoned === true || call.endedAt === undefined) return [];
    return next.at < call.endedAt ? ['was in two calls at once'] : [];
  });
}
