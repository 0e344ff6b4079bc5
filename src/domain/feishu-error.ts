/**
 * The error of a call to Feishu that gave nothing usable. Made from a whitelist (API name, status, code, log id, our
 * own words), never from what a library threw or what Feishu wrote: those may hold tokens, secrets and links.
 */
import type { FailureDetail } from './session.js';

/**
 * - `transient`: not applied, repeat it
 * - `rate_limited`: not applied, repeat it after `retryAfterMs`
 * - `uncertain`: sent, no answer: it may have been applied
 * - `refused`: Feishu's final answer; a repeat gets the same
 */
export type FeishuErrorKind = 'transient' | 'rate_limited' | 'uncertain' | 'refused';

/**
 * What a code means for the flow.
 * - `unreachable`: Feishu cannot deliver to this user or chat
 * - `gone`: the message has ended; do not update it again
 * - `retry`: later it may work
 * - `misconfigured`: an operator must act in the developer console
 * - `bug`: our request is wrong
 * - `token_invalid`, `user_left`: about the user token the call was made with
 */
export type FeishuMeaning = 'unreachable' | 'gone' | 'retry' | 'misconfigured' | 'bug' | 'token_invalid' | 'user_left';

export interface FeishuErrorDetails {
  readonly api: string;
  readonly feishuCode?: number | null;
  readonly logId?: string | null;
  readonly httpStatus?: number | null;
  readonly retryAfterMs?: number | null;
  readonly meaning?: FeishuMeaning | null;
  /** What to do about it, in plain English. */
  readonly remedy?: string;
  readonly for?: FailureDetail['for'];
}

const WAIT = 'Nothing to do: it is tried again. If it goes on, check the network to Feishu and its status page.';

export class FeishuError extends Error {
  override readonly name = 'FeishuError';
  readonly kind: FeishuErrorKind;
  readonly api: string;
  readonly feishuCode: number | null;
  readonly logId: string | null;
  readonly httpStatus: number | null;
  /** Milliseconds after which a repeat makes sense, when Feishu or the budget said so. */
  readonly retryAfterMs: number | null;
  readonly meaning: FeishuMeaning | null;
  readonly remedy: string;
  readonly for: FailureDetail['for'];

  constructor(kind: FeishuErrorKind, message: string, details: FeishuErrorDetails) {
    super(`${details.api}: ${message}`);
    this.kind = kind;
    this.api = details.api;
    this.feishuCode = details.feishuCode ?? null;
    this.logId = details.logId ?? null;
    this.httpStatus = details.httpStatus ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.meaning = details.meaning ?? null;
    this.remedy = details.remedy ?? WAIT;
    this.for = details.for ?? 'operator';
  }

  /** As it may be stored in a failed session and shown to its client. */
  toFailureDetail(): FailureDetail {
    return failureDetail(this);
  }
}

/** A FailureDetail without members that are not known. */
export function failureDetail(known: {
  readonly feishuCode: number | null;
  readonly logId: string | null;
  readonly remedy: string;
  readonly for: FailureDetail['for'];
}): FailureDetail {
  return {
    ...(known.feishuCode === null ? {} : { feishu_code: known.feishuCode }),
    ...(known.logId === null ? {} : { log_id: known.logId }),
    remedy: known.remedy,
    for: known.for,
  };
}
