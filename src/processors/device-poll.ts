/**
 * Queue `device-poll`: waits for consent (ARCHITECTURE §2 steps 7 and 8). One poll a run, then the same job waits by
 * the pace. The intent is written before each poll, which also proves the store writable. No news ever ends a link,
 * only final answers do. A link of the authorization code grant has nothing to poll: code-exchange.ts takes its code.
 */
import type { Logger } from 'pino';
import type { AppConfig } from '../config/config.js';
import { TIER_4, TOKEN_SHARE } from '../domain/call-budget.js';
import { again, DONE, type JobOutcome, linkOf, type Processor } from '../domain/job.js';
import { idsOf } from '../domain/log-ids.js';
import type { Metrics } from '../domain/metrics.js';
import { nextPollDelayMs } from '../domain/poll-pace.js';
import type { DeviceLink, Session } from '../domain/session.js';
import type { TokenEndpoint } from '../oauth/token-endpoint.js';
import type { Producer } from '../queue/producer.js';
import type { SessionStore } from '../store/session-store.js';
import type { Spool } from '../store/spool.js';
import type { ExchangeCode } from './code-exchange.js';
import { type Consented, SPOOL_WAIT_MS } from './consented.js';
import type { Refused } from './refused.js';
import type { Settle } from './settle.js';

export interface DevicePollDeps {
  readonly sessions: SessionStore;
  readonly spool: Pick<Spool, 'holds'>;
  readonly producer: Producer;
  readonly consented: Consented;
  readonly refused: Refused;
  readonly exchangeCode: ExchangeCode;
  readonly settle: Settle;
  readonly app: (appId: string) => AppConfig | undefined;
  readonly tokenEndpoint: Pick<TokenEndpoint, 'pollDeviceToken'>;
  /** Longest time a poll may take: a stop of the process must be able to wait for it. */
  readonly timeoutMs: number;
  readonly metrics: Pick<Metrics, 'sessionFailed'>;
  readonly random: () => number;
  readonly logger: Logger;
}

/** Waiting for a turn and writing what the poll brought, beside the request itself. */
const AROUND_POLL_MS = 5_000;
/** RFC 8628 §3.5. */
const SLOW_DOWN_SECONDS = 5;
/** All polls of an app together; the rest of the token endpoint's minute is for refreshes and "I have agreed". */
const POLLS_PER_SECOND = (TIER_4.perMinute * TOKEN_SHARE * 0.95) / 60;

export function createDevicePollProcessor(deps: DevicePollDeps): Processor {
  const { sessions, producer, logger } = deps;

  const linkEnded = async (session: Session): Promise<JobOutcome> => {
    await producer.cardUpdate(session.sessionId);
    const fields = { event: 'link.expired', ...idsOf(session), link_number: session.linkNumber };
    logger.info(fields, 'The consent link has ended; the card offers a new one');
    return DONE;
  };

  const poll = async (session: Session, link: DeviceLink, now: number, waiting: number): Promise<JobOutcome> => {
    const { sessionId, linkNumber } = session;
    // The token set's times are told by Redis's clock.
    const begunAt = performance.now();
    const app = deps.app(session.appId);
    if (app === undefined) return again(5_000);
    const answer = await deps.tokenEndpoint.pollDeviceToken({
      app,
      deviceCode: link.deviceCode,
      askedScopes: session.scopes,
      timeoutMs: deps.timeoutMs,
      now: () => now + Math.round(performance.now() - begunAt),
    });
    const pace = (intervalSeconds: number): number =>
      nextPollDelayMs({
        linkAgeMs: link.lifeSeconds * 1000 - (link.expiresAt - now),
        intervalSeconds,
        waitingSessions: waiting,
        ratePerSecond: POLLS_PER_SECOND,
        remainingMs: link.expiresAt - now,
        random: deps.random,
      });
    switch (answer.kind) {
      case 'tokens':
        return await deps.consented(session, answer.tokenSet);
      case 'pending':
        await sessions.endPoll(sessionId, link, { grown: false });
        return again(pace(link.intervalSeconds));
      case 'slow_down': {
        const intervalSeconds = link.intervalSeconds + SLOW_DOWN_SECONDS;
        await sessions.endPoll(sessionId, { ...link, intervalSeconds }, { grown: true });
        return again(pace(intervalSeconds));
      }
      case 'transient':
        await sessions.endPoll(sessionId, link, { grown: false });
        return again(Math.max(answer.retryAfterMs ?? 0, pace(link.intervalSeconds)));
      case 'denied':
        if (await sessions.reject(sessionId, linkNumber)) {
          logger.info({ event: 'session.rejected', ...idsOf(session) }, "The user declined on Feishu's page");
          deps.metrics.sessionFailed(session.appId, 'rejected');
        }
        await producer.cardUpdate(sessionId);
        return DONE;
      case 'expired':
        await sessions.linkDead(sessionId, linkNumber);
        return await linkEnded(session);
      case 'refused':
        return await deps.refused(session, answer.detail);
    }
  };

  return async (job) => {
    const wanted = linkOf(job);
    if (wanted === null) return DONE;
    if (deps.spool.holds(wanted.sessionId)) return again(SPOOL_WAIT_MS);
    const begun = await sessions.beginPoll(wanted.sessionId, wanted.number, deps.timeoutMs + AROUND_POLL_MS);
    switch (begun.kind) {
      case 'stale':
        // Also the repeat of a run that ended the session and then could not ask for its card.
        await producer.cardUpdate(wanted.sessionId);
        return DONE;
      case 'settle':
        return await deps.settle(begun.session);
      case 'dead': {
        const session = await sessions.get(wanted.sessionId);
        return session === null ? DONE : await linkEnded(session);
      }
      case 'poll': {
        const { link } = begun.session;
        if (link?.grant === 'authorization_code') return await deps.exchangeCode(begun.session, link, begun.now);
        return link === null ? DONE : await poll(begun.session, link, begun.now, begun.waiting);
      }
    }
  };
}
