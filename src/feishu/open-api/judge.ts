/**
 * FeishuReply -> the answer's fields, or a FeishuError that says what to make of it. Pure, one place for all APIs of
 * the open platform. Decides on `code`, never on `msg`; takes nothing from `msg` but the number in `ext=ErrCode: N`.
 */
import { type CodeEntry, type CodeTable, GENERIC_CODES, UNKNOWN_CODE } from '../../domain/feishu-codes.js';
import { FeishuError } from '../../domain/feishu-error.js';
import type { FeishuReply } from '../../domain/feishu-exchange.js';
import { type JsonObject, objectOf, textOf } from '../../domain/json-fields.js';
import { SCOPE_PATTERN } from '../../domain/scopes.js';
import { CARD_SUB_CODES } from './message-codes.js';

export interface JudgedCall {
  readonly api: string;
  readonly repeatable: boolean;
  /** Codes of this API; the generic ones are known anyway. */
  readonly codes: CodeTable;
}

/** The body of a success (HTTP 2xx and code 0); its payload is mostly in `data`. */
export function judgeReply(reply: FeishuReply, call: JudgedCall): JsonObject {
  if (reply.rateLimited) throw rateLimited(reply, call);
  const { code, status } = reply;
  if (code === 0 && status >= 200 && status < 300) return objectOf(reply.body);
  if (code === null || code === 0) throw noAnswer(reply, call);
  const entry = call.codes[code] ?? GENERIC_CODES[code];
  // A 5xx with a code nobody knows is a failure of the moment, not a decision.
  if (entry === undefined && status >= 500) throw noAnswer(reply, call);
  throw refused(reply, call, code, entry ?? UNKNOWN_CODE);
}

/** For an answer that is a success but lacks what it is for. */
export function incomplete(reply: FeishuReply, call: JudgedCall, field: string): FeishuError {
  return new FeishuError(call.repeatable ? 'transient' : 'uncertain', `the answer has no ${field}`, facts(reply, call));
}

const facts = (reply: FeishuReply, call: JudgedCall) => ({
  api: call.api,
  feishuCode: reply.code,
  logId: reply.logId,
  httpStatus: reply.status,
  retryAfterMs: reply.retryAfterMs,
});

const rateLimited = (reply: FeishuReply, call: JudgedCall): FeishuError =>
  new FeishuError('rate_limited', `Feishu says slow down (${said(reply)})`, {
    ...facts(reply, call),
    meaning: 'retry',
  });

const noAnswer = (reply: FeishuReply, call: JudgedCall): FeishuError =>
  new FeishuError(call.repeatable ? 'transient' : 'uncertain', `no usable answer (${said(reply)})`, {
    ...facts(reply, call),
    meaning: 'retry',
  });

function refused(reply: FeishuReply, call: JudgedCall, code: number, entry: CodeEntry): FeishuError {
  const more = detailOf(reply, code);
  const remedy = more.scopes === null ? entry.remedy : `${entry.remedy} Any of: ${more.scopes}.`;
  return new FeishuError(
    entry.class === 'retry' ? 'transient' : 'refused',
    `${entry.cause}${more.why === null ? '' : `: ${more.why}`} (${said(reply)})`,
    { ...facts(reply, call), meaning: entry.class, remedy, for: entry.for },
  );
}

const said = (reply: FeishuReply): string =>
  reply.code === null ? `HTTP ${reply.status}` : `HTTP ${reply.status}, code ${reply.code}`;

/** What may be taken from the body safely: a number we know, names of scopes. */
function detailOf(reply: FeishuReply, code: number): { readonly why: string | null; readonly scopes: string | null } {
  const body = objectOf(reply.body);
  if (code === 230099) return { why: cardSubCode(textOf(body['msg'])), scopes: null };
  if (code !== 99991672) return { why: null, scopes: null };
  const violations = objectOf(body['error'])['permission_violations'];
  const scopes = (Array.isArray(violations) ? violations : [])
    .map((violation: unknown) => textOf(objectOf(violation)['subject']))
    .filter((scope): scope is string => scope !== null && SCOPE_PATTERN.test(scope));
  return { why: null, scopes: scopes.length === 0 ? null : scopes.slice(0, 10).join(', ') };
}

function cardSubCode(message: string | null): string | null {
  const digits = /ErrCode:\s*(\d{1,9})/.exec(message ?? '')?.[1];
  if (digits === undefined) return null;
  return `${CARD_SUB_CODES[Number(digits)] ?? 'an unknown reason'}, ErrCode ${digits}`;
}
