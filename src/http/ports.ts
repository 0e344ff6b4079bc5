/**
 * What the HTTP API needs from the rest of the daemon. The store and the flow implement these ports, app.ts passes
 * them in. This file owns no behaviour.
 *
 * Every port may reject with an AuthdError, whose code becomes the answer (`upstream_unavailable` when Redis is
 * away). A call that takes longer than `limits.handlerTimeoutMs` is answered for with 503; what it does later must
 * be harmless. Times are milliseconds since the epoch.
 */
import type { Logger } from 'pino';
import type { TlsConfig } from '../config/config.js';
import type { AskRequest, AskResult } from '../domain/ask.js';
import type { GrantReading, GrantStatus, RenewedReading } from '../domain/grant.js';
import type { KeyringStatus } from '../domain/keyring.js';
import type { Metrics } from '../domain/metrics.js';
import type { ReadinessReport } from '../domain/readiness.js';
import type { Session, SessionState } from '../domain/session.js';
import type { StatusReport } from '../domain/status-report.js';
import type { ClientRegistry } from './clients.js';
import type { PageFiles } from './page-files.js';

export interface SessionQuery {
  /** Only sessions of these apps; never empty. */
  readonly appIds: readonly string[];
  /** Only sessions of this client; null: of all clients. */
  readonly clientId: string | null;
  readonly openId?: string;
  readonly state?: SessionState;
  /** 1 to 100. */
  readonly limit: number;
  /** The `nextCursor` of the page before; not trusted: `invalid_request` when it is none of ours. */
  readonly cursor?: string;
}

/** Newest first. `nextCursor`: null on the last page; opaque, of `[A-Za-z0-9_.~=-]`. */
export interface SessionPage {
  readonly sessions: readonly Session[];
  readonly nextCursor: string | null;
}

export interface SessionsPort {
  get(sessionId: string): Promise<Session | null>;
  /**
   * Settles with the session when it has ended, or with its present state after `timeoutMs`; null: it is not known
   * (any more). It lets go of everything it holds when `signal` aborts; its outcome is ignored from then on.
   */
  waitForEnd(sessionId: string, timeoutMs: number, signal: AbortSignal): Promise<Session | null>;
  list(query: SessionQuery): Promise<SessionPage>;
  /** Ends it; an ended session is returned as it is. null: not known. */
  invalidate(sessionId: string): Promise<Session | null>;
  /** Deletes sessions that ended more than `expiryDays` days ago, of all apps. Gives their number. */
  cleanup(expiryDays: number): Promise<number>;
}

export interface GrantsPort {
  /** A grant that does not exist has the status `none`. */
  status(appId: string, openId: string): Promise<GrantStatus>;
  /** The grant and what is kept of its access tokens. */
  read(appId: string, openId: string): Promise<GrantReading>;
  /** The grant after a refresh of the token set `seen`, or why there was none. Callers at the same time share one. */
  renew(appId: string, openId: string, seen: number, force: boolean): Promise<RenewedReading>;
  /** A client has got a token of it: it is kept fresh from now on. Never fails. */
  used(appId: string, openId: string, reading: GrantReading): void;
  /** Forgets the tokens, at Feishu too when asked to; a grant that does not exist is fine. */
  forget(appId: string, openId: string, revokeAtFeishu: boolean): Promise<void>;
}

export interface KeyringPort {
  status(): Promise<KeyringStatus>;
}

/** An app as the API sees it. `authScopes` has `offline_access` in it. */
export interface ApiApp {
  readonly appId: string;
  readonly authScopes: readonly string[];
}

export interface CallLimit {
  readonly max: number;
  readonly windowMs: number;
}

export interface HttpLimits {
  readonly bodyBytes: number;
  /** Longest time an answer may take, long polls and refreshes aside. */
  readonly handlerTimeoutMs: number;
  /** Longest wait for a refresh. */
  readonly refreshTimeoutMs: number;
  readonly longPollMaxSeconds: number;
  /** Long polls that may wait at the same time, of all clients together. */
  readonly maxLongPolls: number;
  readonly callsPerClient: CallLimit;
  readonly failedAuthPerAddress: CallLimit;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  bodyBytes: 65_536,
  // Callers and probes that give up after 3 s still see a reason.
  handlerTimeoutMs: 2_500,
  // One request to Feishu and its repeat, when the first gets no answer.
  refreshTimeoutMs: 15_000,
  longPollMaxSeconds: 50,
  maxLongPolls: 1_000,
  callsPerClient: { max: 1_200, windowMs: 10_000 },
  failedAuthPerAddress: { max: 60, windowMs: 60_000 },
};

/** The metrics of this process as Prometheus reads them. */
export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

/** What health and metrics need; all of it is also part of `HttpDeps`. */
export interface HealthDeps {
  readonly apps: readonly ApiApp[];
  /** Judges the whole process, or only what concerns one app. */
  readonly readiness: (appId?: string) => Promise<ReadinessReport>;
  /** Answers in time, also when Redis does not. */
  readonly scrape: () => Promise<MetricsText>;
  readonly metrics: Pick<Metrics, 'httpAnswered'>;
  readonly logger: Logger;
  readonly limits: HttpLimits;
  /** null: plain HTTP. */
  readonly tls: TlsConfig | null;
}

export interface HttpDeps extends HealthDeps {
  readonly metrics: Pick<Metrics, 'httpAnswered' | 'tokenRead'>;
  readonly ask: (request: AskRequest) => Promise<AskResult>;
  readonly sessions: SessionsPort;
  readonly grants: GrantsPort;
  readonly keyring: KeyringPort;
  /** Answers in time, also when Redis does not. */
  readonly status: () => Promise<StatusReport>;
  readonly statusPage: PageFiles;
  readonly clients: ClientRegistry;
  /** Life of a session for requests without `ttl_seconds`. */
  readonly sessionTtlSeconds: number;
  /** Version of the daemon, for the OpenAPI document. */
  readonly version: string;
  /** The present time; decides how much life a token has left. */
  readonly now: () => number;
}
