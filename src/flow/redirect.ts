/**
 * What her browser brings back from Feishu's page (RFC 6749 §4.1.2; FEISHU.md §6.1): judged by its state first, then
 * by the store; a code is kept and handed to a worker, and the page waits for what comes of it. Never rejects. Whatever
 * is not signed by us changes nothing, also with a good code beside it.
 */
import type { Logger } from 'pino';
import { idsOf } from '../domain/log-ids.js';
import type { Metrics } from '../domain/metrics.js';
import type { ReceiveRedirect, RedirectNames, RedirectOutcome, RedirectQuery } from '../domain/redirect.js';
import { type FailureDetail, isLive, MAX_MISMATCHES, type Session } from '../domain/session.js';
import type { ConsentLinks, OpenedState } from '../oauth/consent-links.js';
import type { Producer } from '../queue/producer.js';
import type { Changes } from '../store/changes.js';
import type { RedirectStore } from '../store/redirect-store.js';
import type { SessionStore } from '../store/session-store.js';
import type { Hints } from './hints.js';

export interface RedirectDeps {
  readonly links: Pick<ConsentLinks, 'open'>;
  readonly redirects: RedirectStore;
  readonly sessions: Pick<SessionStore, 'get'>;
  readonly changes: Changes;
  readonly producer: Pick<Producer, 'pollNow' | 'cardUpdate'>;
  readonly hints: Hints;
  readonly names: (clientId: string, appId: string) => RedirectNames;
  /** What an `error` of Feishu's page means; for the page and the log. */
  readonly explainError: (error: string) => FailureDetail;
  readonly metrics: Pick<Metrics, 'sessionExpired' | 'sessionFailed'>;
  /** How long a page waits for its outcome. */
  readonly waitMs: number;
  /** Milliseconds. */
  readonly now: () => number;
  readonly logger: Logger;
}

/** Until a worker has taken the code: the session does not expire before. */
const HOLD_MS = 30_000;
/** How Feishu writes codes (FEISHU.md §6.1), and room for longer ones. */
const CODE = /^[A-Za-z0-9_.~-]{1,1024}$/;
/** RFC 6749 §4.1.2.1. */
const DENIED = 'access_denied';
const TOO_MANY: FailureDetail = {
  remedy: 'Several codes of this link brought nothing within a minute. Wait a minute, then open the link once more.',
  for: 'user',
};

export function createReceiveRedirect(deps: RedirectDeps): ReceiveRedirect {
  const { changes, hints, logger, now, producer, redirects, sessions } = deps;

  const namesOf = (session: Session): RedirectNames => deps.names(session.clientId, session.appId);

  /** What the session says of the code that it has taken last: null while that is not decided. */
  const decided = (session: Session): RedirectOutcome | null => {
    const names = namesOf(session);
    if (!isLive(session.state)) return ended(session, names);
    if (session.linkState === 'settling') return null;
    if (session.linkState === 'wrong_account') {
      return { kind: 'wrong_account', names, triesLeft: MAX_MISMATCHES - session.mismatches };
    }
    if (session.codeFailure !== null) return { kind: 'try_again', names, detail: session.codeFailure };
    const inHand = session.link?.grant === 'authorization_code' && session.link.received !== null;
    // Without a code in hand nothing will ever be decided: it has done its work, and a newer link is on the card.
    return inHand ? null : { kind: 'used', names };
  };

  const tellExpired = (session: Session): void => {
    logger.info({ event: 'session.expired', ...idsOf(session) }, 'A session has expired');
    deps.metrics.sessionExpired(session.appId);
    hints.add(() => producer.cardUpdate(session.sessionId));
  };

  const awaitOutcome = async (taken: Session, deadline: number): Promise<RedirectOutcome> => {
    let session: Session | null = taken;
    let outcome = decided(taken);
    while (outcome === null && session !== null && now() < deadline) {
      const notice = changes.wait(taken.sessionId, deadline - now());
      try {
        // Also after the time is over: a notice may have been lost.
        session = await sessions.get(taken.sessionId);
        outcome = session === null ? null : decided(session);
        if (outcome === null) await notice.promise;
      } finally {
        notice.cancel();
      }
    }
    return outcome ?? { kind: 'working', names: namesOf(taken) };
  };

  const receiveCode = async (code: string, state: OpenedState, deadline: number): Promise<RedirectOutcome> => {
    const { codeVerifier, linkNumber, redirectUri, sessionId } = state;
    const taken = await redirects.receiveCode(sessionId, linkNumber, { code, codeVerifier, redirectUri }, HOLD_MS);
    if ('expiredNow' in taken && taken.expiredNow) tellExpired(taken.session);
    switch (taken.verdict) {
      case 'unknown':
        return { kind: 'invalid' };
      case 'taken':
        hints.add(() => producer.pollNow(sessionId, linkNumber));
        return await awaitOutcome(taken.session, deadline);
      case 'same':
        return await awaitOutcome(taken.session, deadline);
      case 'useless':
        return { kind: 'try_again', names: namesOf(taken.session), detail: taken.session.codeFailure };
      case 'busy':
        return { kind: 'working', names: namesOf(taken.session) };
      case 'limited':
        return { kind: 'try_again', names: namesOf(taken.session), detail: TOO_MANY };
      case 'used':
        return { kind: 'used', names: namesOf(taken.session) };
      case 'ended':
        return endedByOthers(taken.session);
    }
  };

  /** The code was not taken: whoever brings one after the end learns no more than that there is nothing to do here. */
  const endedByOthers = (session: Session): RedirectOutcome => {
    const names = namesOf(session);
    const { state } = session;
    return state === 'completed' || state === 'failed' ? { kind: 'used', names } : ended(session, names);
  };

  const receiveRefusal = async ({ linkNumber, sessionId }: OpenedState): Promise<RedirectOutcome> => {
    const refused = await redirects.refuseLink(sessionId, linkNumber);
    if (refused.verdict === 'unknown') return { kind: 'invalid' };
    const { session } = refused;
    if (refused.expiredNow) tellExpired(session);
    if (refused.verdict === 'used') return { kind: 'used', names: namesOf(session) };
    if (refused.verdict === 'ended') return endedByOthers(session);
    hints.add(() => producer.cardUpdate(sessionId));
    logger.info({ event: 'session.rejected', ...idsOf(session) }, "The user declined on Feishu's page");
    deps.metrics.sessionFailed(session.appId, 'rejected');
    return { kind: 'declined', names: namesOf(session) };
  };

  const receiveError = async (error: string, { sessionId }: OpenedState): Promise<RedirectOutcome> => {
    const session = await sessions.get(sessionId);
    if (session === null) return { kind: 'invalid' };
    if (!isLive(session.state)) return endedByOthers(session);
    const detail = deps.explainError(error);
    const fields = { event: 'redirect.refused', ...idsOf(session), for: detail.for };
    logger.warn(fields, `Feishu's page reported an error: ${detail.remedy}`);
    return { kind: 'refused', names: namesOf(session), detail };
  };

  const judge = async ({ code, error, state }: RedirectQuery, deadline: number): Promise<Judged> => {
    if (state === null) return { outcome: { kind: code === null && error === null ? 'incomplete' : 'invalid' } };
    const opened = deps.links.open(state);
    if (opened === null) return { outcome: { kind: 'invalid' } };
    const about = { sessionId: opened.sessionId };
    if (error !== null) {
      const outcome = error === DENIED ? await receiveRefusal(opened) : await receiveError(error, opened);
      return { outcome, ...about };
    }
    if (code === null) return { outcome: { kind: 'incomplete' }, ...about };
    if (!CODE.test(code)) return { outcome: { kind: 'invalid' }, ...about };
    return { outcome: await receiveCode(code, opened, deadline), ...about };
  };

  return async (query) => {
    const startedAt = now();
    let judged: Judged;
    try {
      judged = await judge(query, startedAt + deps.waitMs);
    } catch (error) {
      logger.warn({ event: 'redirect.failed', err: error }, 'A redirect could not be judged; its page can be reloaded');
      judged = { outcome: { kind: 'unavailable' } };
    }
    const { outcome, sessionId } = judged;
    const line = { event: 'redirect.received', outcome: outcome.kind, took_ms: Math.round(now() - startedAt) };
    if (sessionId !== undefined) logger.info({ ...line, session_id: sessionId }, "A user's browser came back");
    // Anybody's to write, as often as he likes.
    else logger.debug(line, 'A redirect came in that is not known to be about any session');
    return outcome;
  };
}

interface Judged {
  readonly outcome: RedirectOutcome;
  /** Of a valid state. */
  readonly sessionId?: string;
}

function ended(session: Session, names: RedirectNames): RedirectOutcome {
  switch (session.state) {
    case 'completed':
      return { kind: 'completed', names };
    case 'rejected':
      return { kind: 'declined', names };
    case 'expired':
    case 'superseded':
    case 'invalidated':
      return { kind: session.state, names };
    case 'failed':
      if (session.failureReason === 'insufficient_scope') {
        return { kind: 'missing_scopes', names, missing: session.missingScopes };
      }
      return {
        kind: 'failed',
        names,
        reason: session.failureReason ?? 'internal_error',
        detail: session.failureDetail,
      };
    case 'pending':
    case 'authorizing':
      return { kind: 'working', names };
  }
}
