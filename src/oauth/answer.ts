/**
 * What an unsuccessful answer of the authorization server says, by RFC `error` and Feishu's `code`. Pure; shared by the
 * judges of both endpoints. Takes no text of Feishu's over: `error_description` may quote what we sent.
 */
import { type FeishuError, failureDetail } from '../domain/feishu-error.js';
import type { FeishuReply } from '../domain/feishu-exchange.js';
import { objectOf, textOf } from '../domain/json-fields.js';
import type { FailureDetail } from '../domain/session.js';
import { entryFor, type TokenCodeClass } from './token-codes.js';

/** Try again; nothing has been decided. */
export interface Transient {
  readonly kind: 'transient';
  /** As Feishu or the budget said; null: by the caller's own pace. */
  readonly retryAfterMs: number | null;
  /** For the log, and for the session if the caller gives up in the end. */
  readonly detail: FailureDetail;
}

export interface Fault {
  readonly class: TokenCodeClass;
  readonly detail: FailureDetail;
}

/** RFC `error`, when the body has one. */
export const errorName = (reply: FeishuReply): string | null => textOf(objectOf(reply.body)['error']);

/** A rate limit is one whatever else is written. */
export function faultOf(reply: FeishuReply): Fault {
  const entry = reply.rateLimited ? entryFor(RATE_LIMITED, null) : entryFor(reply.code, errorName(reply));
  const detail = failureDetail({ feishuCode: reply.code, logId: reply.logId, remedy: entry.remedy, for: entry.for });
  return { class: entry.class, detail };
}

/** FEISHU.md §7. */
const RATE_LIMITED = 99991400;

export const transientReply = (reply: FeishuReply, detail: FailureDetail): Transient => ({
  kind: 'transient',
  retryAfterMs: reply.retryAfterMs,
  detail,
});

/** No reply at all: no turn, no connection, no answer in time. */
export const transientError = (error: FeishuError): Transient => ({
  kind: 'transient',
  retryAfterMs: error.retryAfterMs,
  detail: error.toFailureDetail(),
});
