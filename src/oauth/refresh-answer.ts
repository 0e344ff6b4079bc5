/**
 * What the answer to a refresh means for the grant (FEISHU.md §6.2, ARCHITECTURE invariant 3). Pure. The refresh token
 * works once: between "Feishu has refused and taken nothing" and "nobody knows" lies the grant itself, so only codes of
 * the table say what became of it, and everything else is unknown.
 */
import { type FeishuError, failureDetail } from '../domain/feishu-error.js';
import type { FeishuReply } from '../domain/feishu-exchange.js';
import { objectOf, textOf } from '../domain/json-fields.js';
import type { FailureDetail } from '../domain/session.js';
import type { TokenSet } from '../domain/token-set.js';
import { errorName, faultOf } from './answer.js';
import { readTokenSet } from './token-set.js';

/**
 * - `tokens`: the successor; the token that was sent is dead. Keep it before anything else
 * - `unsent`: never written; `refused`: answered, and nothing was taken. Again after a while
 * - `unknown`: written, and nobody knows whether it was taken
 * - `used`: somebody has redeemed it before (20073)
 * - `dead`: Feishu's final word: only a new consent helps
 * - `left`: the user is not there any more
 * - `operator`: somebody must act, then it works again; `wholeApp`: it is the same for every user
 */
export type RefreshAnswer =
  | { readonly kind: 'tokens'; readonly tokenSet: TokenSet }
  | { readonly kind: 'unsent' | 'refused'; readonly retryAfterMs: number | null; readonly detail: FailureDetail }
  | { readonly kind: 'unknown' | 'used' | 'dead' | 'left'; readonly detail: FailureDetail }
  | { readonly kind: 'operator'; readonly wholeApp: boolean; readonly detail: FailureDetail };

export interface RefreshAnswerContext {
  /** When the answer came, milliseconds. */
  readonly nowMs: number;
  /** Of the token that was refreshed: what it stands for when the answer names none. */
  readonly scopes: readonly string[];
}

const USED = 20073;
const LEFT = new Set([20008, 20066]);
/** About the app and not about this grant: the next user would get the same answer. */
const WHOLE_APP = new Set([20002, 20009, 20048, 20069, 20074]);
const WHOLE_APP_NAMES = new Set(['invalid_client', 'unauthorized_client']);

export function judgeRefreshAnswer(reply: FeishuReply, context: RefreshAnswerContext): RefreshAnswer {
  const name = errorName(reply);
  if (reply.rateLimited) return { kind: 'refused', retryAfterMs: reply.retryAfterMs, detail: faultOf(reply).detail };
  if (name === null && (reply.code ?? 0) === 0) {
    // Whatever the status: an access token in hand is one that will not be given again.
    const tokenSet = readTokenSet(objectOf(reply.body), context.nowMs, context.scopes);
    return tokenSet === null ? { kind: 'unknown', detail: noAnswer(reply.logId) } : { kind: 'tokens', tokenSet };
  }
  const fault = faultOf(reply);
  const { detail } = fault;
  if (reply.code !== null && LEFT.has(reply.code)) return { kind: 'left', detail };
  switch (fault.class) {
    case 'grant_dead':
      return { kind: reply.code === USED ? 'used' : 'dead', detail };
    case 'operator':
    case 'user':
    case 'bug':
      return { kind: 'operator', wholeApp: isWholeApp(reply.code, name), detail };
    // A code of the other grants, or RFC 6749's bare `invalid_grant`: no final code says that the token is dead.
    case 'restart':
    case 'retry':
      return { kind: 'refused', retryAfterMs: reply.retryAfterMs, detail };
  }
}

const isWholeApp = (code: number | null, name: string | null): boolean =>
  code === null ? name !== null && WHOLE_APP_NAMES.has(name) : WHOLE_APP.has(code);

/** There is no reply. */
export const refreshError = (error: FeishuError): RefreshAnswer =>
  error.kind === 'uncertain'
    ? { kind: 'unknown', detail: error.toFailureDetail() }
    : { kind: 'unsent', retryAfterMs: error.retryAfterMs, detail: error.toFailureDetail() };

const noAnswer = (logId: string | null): FailureDetail =>
  failureDetail({
    feishuCode: null,
    logId: textOf(logId),
    remedy: "Something answered that is not Feishu's token endpoint. Check proxies in between, and Feishu's status.",
    for: 'operator',
  });
