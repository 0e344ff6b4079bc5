/**
 * The port to Feishu's HTTP side: one request, one reply, bounded in time, size and rate. `feishu/open-api` implements
 * it; `oauth` takes it as a dependency, because adapters do not import each other. Sending is here, judging is not:
 * a reply of any status is returned, and only "there is no reply" is thrown, as a FeishuError.
 */
import type { CallLimits } from './call-budget.js';
import type { FeishuApi } from './feishu-apis.js';

export interface FeishuRequest {
  /** Dotted name of the API, for budget, logs and metrics. */
  readonly api: FeishuApi;
  readonly appId: string;
  /** null: not counted (the tenant token, asked for twice a day). */
  readonly limits: CallLimits | null;
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly url: string;
  /** May hold secrets; never logged. */
  readonly headers: Readonly<Record<string, string>>;
  /** May hold secrets; never logged. */
  readonly body: string | null;
  /** From sending to the last byte of the reply; waiting for a turn is not in it. */
  readonly timeoutMs: number;
  /** Whether the same request may be sent again although the first may have been applied. */
  readonly repeatable: boolean;
  /** Asked right before sending, after every wait for a turn: false and the request is not sent (`transient`). */
  readonly mayStillSend?: () => boolean;
}

export interface FeishuReply {
  readonly status: number;
  /** The parsed JSON, or null for anything else (HTML, nothing, half a document). */
  readonly body: unknown;
  /** Feishu's `code`, if the body has one. */
  readonly code: number | null;
  /** `x-tt-logid`, to quote to Feishu's support. */
  readonly logId: string | null;
  /** HTTP 429 or one of the rate codes; the pause has been noted for everybody. */
  readonly rateLimited: boolean;
  /** When a repeat makes sense, as far as the reply says so. */
  readonly retryAfterMs: number | null;
}

/** Throws a FeishuError of kind `rate_limited` (no turn), `transient` (never sent) or `uncertain` (sent, no reply). */
export type FeishuExchange = (request: FeishuRequest) => Promise<FeishuReply>;
