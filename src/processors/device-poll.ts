/**
 * Queue `device-poll`: waits for consent (ARCHITECTURE §2 steps 7 and 8). One poll a run, then the same job waits by
 * the pace. The intent is written before each poll, which also proves the store writable; fresh tokens are kept before
 * anything else happens, in the spool when Redis will not take them. No news ever ends a link, only final answers do.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { AppConfig } from '../config/config.js';
import { TIER_4, TOKEN_SHARE } from '../domain/call-budget.js';
import { again, DONE, type JobOutcome, linkOf, type Processor } from '../domain/job.js';
import type { Metrics } from '../domain/metrics.js';
import { nextPollDelayMs } from '../domain/poll-pace.js';
import type { ConsentLink, FailureDetail, Session } from '../domain/session.js';
import type { TokenSet } from '../domain/token-set.js';
import type { TokenEndpoint } from '../oauth/token-endpoint.js';
import type { Producer } from '../queue/producer.js';
import type { GrantVault } from '../store/grant-vault.js';
import type { SessionStore } from '../store/session-store.js';
import type { Spool } from '../store/spool.js';
import { idsOf, reasonFor } from './session-words.js';
import type { Settle } from './settle.js';

type Kept = 'kept' | 'dropped' | 'unknown' | 'spooled';

export interface DevicePollDeps {
  readonly sessions: SessionStore;
  readonly vault: Pick<GrantVault, 'keep'>;
  readonly spool: Spool;
  readonly producer: Producer;
  readonly settle: Settle;
  readonly app: (appId: string) => AppConfig | undefined;
  readonly tokenEndpoint: TokenEndpoint;
  /** Longest time a poll may take: a stop of the process must be able to wait for it. */
  readonly timeoutMs: number;
  readonly metrics: Pick<Metrics, 'sessionFailed'>;
  readonly random: () => number;
  readonly now: () => number;
  readonly logger: Logger;
}

/** Waiting for a turn and writing what the poll brought, beside the request itself. */
const AROUND_POLL_MS = 5_000;
/** Between tries to keep tokens that neither Redis nor the spool has taken. */
const KEEP_AGAIN_MS = 500;
/** The spool is drained every second while Redis takes writes. */
const SPOOL_WAIT_MS = 1_000;
/** RFC 8628 §3.5. */
const SLOW_DOWN_SECONDS = 5;
/** All polls of an app together; the rest of the token endpoint's minute is for refreshes and "I have agreed". */
const POLLS_PER_SECOND = (TIER_4.perMinute * TOKEN_SHARE * 0.95) / 60;

export function createDevicePollProcessor(deps: DevicePollDeps): Processor {
  const { sessions, producer, logger } = deps;

  const keepOnce = async (session: Session, tokens: TokenSet): Promise<Kept> => {
    try {
      return await deps.vault.keep(session.sessionId, session.linkNumber, tokens);
    } catch (error) {
      await deps.spool.write({ sessionId: session.sessionId, linkNumber: session.linkNumber, tokens });
      const fields = { event: 'token.spooled', ...idsOf(session), err: error };
      logger.warn(fields, 'Redis does not take fresh tokens; they wait in the spool');
      return 'spooled';
    }
  };

  /** Store or spool, whichever takes them: until then they live in this process only, which says so. */
  const keep = async (session: Session, tokens: TokenSet): Promise<Kept> => {
    for (;;) {
      try {
        return await keepOnce(session, tokens);
      } catch (error) {
        const fields = { event: 'token.not_kept', ...idsOf(session), err: error };
        logger.error(
          fields,
          'Neither Redis nor the spool takes fresh tokens; do not stop this process. Check STATE_DIR',
        );
        if (tokens.expiresAt <= deps.now()) throw error;
        await sleep(KEEP_AGAIN_MS);
      }
    }
  };

  const consented = async (session: Session, tokens: TokenSet): Promise<JobOutcome> => {
    switch (await keep(session, tokens)) {
      case 'kept':
        return await deps.settle(session);
      case 'spooled':
        return again(SPOOL_WAIT_MS);
      case 'dropped':
      case 'unknown':
        logger.info({ event: 'token.discarded', ...idsOf(session) }, 'Consent came after the end; its tokens are gone');
        return DONE;
    }
  };

  const refused = async (session: Session, detail: FailureDetail): Promise<JobOutcome> => {
    const reason = reasonFor(detail);
    if (await sessions.fail(session.sessionId, reason, detail)) {
      const fields = { event: 'session.failed', ...idsOf(session), failure_reason: reason };
      const feishu = { feishu_code: detail.feishu_code, log_id: detail.log_id };
      logger.error({ ...fields, ...feishu }, `Feishu gives no token: ${detail.remedy}`);
      deps.metrics.sessionFailed(session.appId, reason);
    }
    await producer.cardUpdate(session.sessionId);
    return DONE;
  };

  const linkEnded = async (session: Session): Promise<JobOutcome> => {
    await producer.cardUpdate(session.sessionId);
    const fields = { event: 'link.expired', ...idsOf(session), link_number: session.linkNumber };
    logger.info(fields, 'The consent link has ended; the card offers a new one');
    return DONE;
  };

  const poll = async (session: Session, link: ConsentLink, now: number, waiting: number): Promise<JobOutcome> => {
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
        return await consented(session, answer.tokenSet);
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
        return await refused(session, answer.detail);
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
        return link === null ? DONE : await poll(begun.session, link, begun.now, begun.waiting);
      }
    }
  };
}
