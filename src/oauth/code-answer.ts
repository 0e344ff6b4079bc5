/**
 * What the token endpoint says to a code (RFC 6749 §4.1.4, §5.2; FEISHU.md §6.2). Pure. Whoever knows a state may have
 * brought a code of somebody else, so what concerns the code alone ends nothing.
 */
import type { FeishuReply } from '../domain/feishu-exchange.js';
import { objectOf } from '../domain/json-fields.js';
import type { FailureDetail } from '../domain/session.js';
import type { TokenSet } from '../domain/token-set.js';
import { errorName, faultOf, type Transient, transientReply } from './answer.js';
import { readTokenSet } from './token-set.js';

/**
 * - `tokens`: the code is spent; keep the set before anything else
 * - `useless`: this code brings nothing; another one by the same link may
 * - `refused`: app, user or request are not as they must be; another code would not help
 */
export type CodeAnswer =
  | { readonly kind: 'tokens'; readonly tokenSet: TokenSet }
  | { readonly kind: 'useless'; readonly expired: boolean; readonly detail: FailureDetail }
  | { readonly kind: 'refused'; readonly detail: FailureDetail }
  | Transient;

/** Feishu's code for a code that has expired. */
const CODE_EXPIRED = 20004;

/** Also said of a code that was issued to another app, or for another redirect URI. */
const ABOUT_THE_CODE: ReadonlySet<number> = new Set([20003, CODE_EXPIRED, 20024, 20049, 20065, 20071]);

export function judgeCodeAnswer(
  reply: FeishuReply,
  context: { readonly nowMs: number; readonly askedScopes: readonly string[] },
): CodeAnswer {
  if (errorName(reply) === null && (reply.code ?? 0) === 0) {
    const tokenSet = readTokenSet(objectOf(reply.body), context.nowMs, context.askedScopes);
    if (tokenSet !== null) return { kind: 'tokens', tokenSet };
  }
  const fault = faultOf(reply);
  if (fault.class === 'retry') return transientReply(reply, fault.detail);
  const aboutCode = fault.class === 'restart' || fault.class === 'grant_dead' || ABOUT_THE_CODE.has(reply.code ?? 0);
  if (!aboutCode) return { kind: 'refused', detail: fault.detail };
  return { kind: 'useless', expired: reply.code === CODE_EXPIRED, detail: fault.detail };
}
