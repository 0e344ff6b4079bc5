/** What the callback server needs from the rest of the daemon. This file owns no behaviour. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { LocalizedText, TlsConfig } from '../../config/config.js';
import type { Metrics } from '../../domain/metrics.js';
import type { ReceiveRedirect } from '../../domain/redirect.js';
import type { FailureDetail, FailureReason } from '../../domain/session.js';
import type { CallLimit } from '../ports.js';

/** The words that pages share with the cards. */
export interface PageWords {
  /** What a scope allows; its name when there are no words for it. */
  scope(scope: string): LocalizedText;
  /** What happened and what to do, by Feishu's code where there are words for it, else by the reason. */
  failure(reason: FailureReason, feishuCode: number | undefined): FailureWords;
  /** What Feishu's code means to the user; null when there are no words for it. */
  code(feishuCode: number): LocalizedText | null;
  /** Whom to tell. */
  contact(who: FailureDetail['for']): LocalizedText;
}

export interface FailureWords {
  readonly happened: LocalizedText;
  readonly next: LocalizedText;
}

export interface CallbackLimits {
  readonly bodyBytes: number;
  /** Longest wait for the outcome of a redirect; then a page that asks again. */
  readonly outcomeTimeoutMs: number;
  /** How long a closing server still waits for outcomes. */
  readonly closeGraceMs: number;
  /** Redirects that may wait at the same time, of all users together. */
  readonly maxWaiting: number;
  /** Redirects that bring no state of ours. */
  readonly requestsPerAddress: CallLimit;
  /** Redirects with a valid state: a whole office, and somebody who asks without end, may share one address. */
  readonly requestsPerSession: CallLimit;
  /** Redirects that are about nobody: forged, damaged, empty. */
  readonly refusalsPerAddress: CallLimit;
}

export const DEFAULT_CALLBACK_LIMITS: CallbackLimits = {
  bodyBytes: 65_536,
  // The flow's own limit is shorter; this one is for the day it is not kept.
  outcomeTimeoutMs: 15_000,
  // With the flush of answers less than the deadline of the closing step (app.ts, 1.5 s).
  closeGraceMs: 700,
  maxWaiting: 2_000,
  requestsPerAddress: { max: 600, windowMs: 10_000 },
  requestsPerSession: { max: 60, windowMs: 10_000 },
  refusalsPerAddress: { max: 60, windowMs: 60_000 },
};

export interface CallbackDeps {
  readonly receiveRedirect: ReceiveRedirect;
  /** The session a state is about, by its signature alone; null: we have not signed it. Cheap: called before any limit. */
  readonly sessionOf: (state: string) => string | null;
  /** Paths the user's browser is sent back to, as they stand in the URL. */
  readonly redirectPaths: readonly string[];
  /** Addresses and networks whose X-Forwarded-For is believed; empty: the header is ignored. */
  readonly trustedProxies: readonly string[];
  /** null: plain HTTP, behind a proxy. */
  readonly tls: TlsConfig | null;
  readonly words: PageWords;
  readonly metrics: Pick<Metrics, 'httpAnswered'>;
  readonly logger: Logger;
  readonly limits: CallbackLimits;
  /**
   * Adds more routes to an instance of their own: body parsers, error handlers and hooks set there stay there. There
   * is no body parser before. Other methods of the added paths are refused with a page; the rate limits of pages do
   * not count here, `app.createRateLimit` is there for limits of one's own.
   */
  readonly routes?: (app: FastifyInstance) => void;
}
