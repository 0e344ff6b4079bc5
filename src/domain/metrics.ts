/**
 * The port through which flow, processors and adapters count what has happened, beside the log line that says it.
 * The words are the flow's; names, labels and buckets of metrics (CONTRACT §7) are the implementation's business
 * (src/telemetry/metrics.ts). Counting never throws and never waits. Durations are seconds.
 *
 * No user, session or message id goes in: labels are bounded sets.
 */
import type { CardActionName } from './card-action.js';
import type { FeishuApi } from './feishu-apis.js';
import type { FailureReason } from './session.js';

/** How the update of a card went (ARCHITECTURE invariant 2). `gone`: the message can never be updated again. */
export const CARD_RESULTS = ['sent', 'patched', 'gone', 'uncertain', 'failed'] as const;
export type CardResultName = (typeof CARD_RESULTS)[number];

/**
 * - `success`: fresh tokens are in the store
 * - `retry`: not now; the grant is kept and it is tried again
 * - `suspended`: kept until an operator has acted
 * - `ended`: Feishu's final answer; the grant has ended
 */
export const REFRESH_RESULTS = ['success', 'retry', 'suspended', 'ended'] as const;
export type RefreshResultName = (typeof REFRESH_RESULTS)[number];

/**
 * - `answered`: a click, and its ack
 * - `malformed`: a click that is no action of ours, or nothing Feishu would send
 * - `recorded`: an event we act on; `refused`: it could not be written down, and Feishu sends it again
 * - `unhandled`: an event that nothing here handles
 */
export const EVENT_RESULTS = ['answered', 'malformed', 'recorded', 'refused', 'unhandled'] as const;
export type EventResultName = (typeof EVENT_RESULTS)[number];

export interface Metrics {
  /** Also one that continues an ended session. */
  sessionCreated(appId: string): void;
  /** `seconds`: from asked to completed. */
  sessionCompleted(appId: string, seconds: number): void;
  sessionExpired(appId: string): void;
  /** `rejected`: by the user, on the card or on Feishu's page. */
  sessionFailed(appId: string, reason: FailureReason | 'rejected'): void;
  tokenRefreshed(appId: string, result: RefreshResultName): void;
  /** `result`: `issued`, or the error code that the client was answered with. */
  tokenRead(clientId: string, result: string): void;
  /** `type`: as Feishu names the event; null: none was named. */
  eventReceived(event: {
    readonly appId: string;
    readonly type: string | null;
    readonly result: EventResultName;
  }): void;
  /** `reason`: why the connection that was up is replaced; of the table in long-connection/failures.ts, or `rotation`. */
  wsReconnecting(appId: string, reason: string): void;
  /** `seconds`: from the click's arrival to our answer. */
  cardAcked(action: CardActionName, seconds: number): void;
  cardUpdated(result: CardResultName): void;
  feishuCalled(call: FeishuCall): void;
  /** `route`: the pattern, never the path; null: there is no such route. */
  httpAnswered(answer: HttpAnswered): void;
}

export interface FeishuCall {
  readonly api: FeishuApi;
  /** Feishu's code, 0 for success; `no_code`: the reply had none (HTML, a gateway's error); `no_answer`: no reply. */
  readonly code: number | 'no_code' | 'no_answer';
  readonly seconds: number;
}

export interface HttpAnswered {
  readonly route: string | null;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
}
