/**
 * Answers a click within the ack budget (ARCHITECTURE §2 step 3). One store call judges it; Authorize claims a link
 * and waits for it as long as the budget allows; whatever happens, the answer is an object that clients accept. Never
 * throws, never hangs: what a timed-out step does later is harmless, because the store decides.
 *
 * While the click is in hand no PATCH goes to its message: an ack sent after it would revert it. `acked` ends that,
 * a moment after the ack has left.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { AuthGrant } from '../config/config.js';
import type { Ack, CardAction } from '../domain/card-action.js';
import { idsOf } from '../domain/log-ids.js';
import type { Metrics } from '../domain/metrics.js';
import { isLive, type Session } from '../domain/session.js';
import { appOfSession, newSessionId } from '../domain/session-id.js';
import type { CardRenderer } from '../feishu/cards/card-renderer.js';
import type { ToastName } from '../feishu/cards/card-set.js';
import type { Producer } from '../queue/producer.js';
import type { Changes } from '../store/changes.js';
import type { ClickOutcome } from '../store/session-moves.js';
import type { SessionStore } from '../store/session-store.js';
import type { Hints } from './hints.js';
import { withinBudget } from './within-budget.js';

export interface ClickDeps {
  readonly sessions: SessionStore;
  readonly producer: Pick<Producer, 'link' | 'pollNow' | 'expiry' | 'cardUpdate'>;
  readonly changes: Changes;
  readonly hints: Hints;
  /** Forgets the grant of this user, whoever it was given for. False: there is none. */
  readonly withdraw: (appId: string, openId: string, sessionId: string) => Promise<boolean>;
  readonly renderer: Pick<CardRenderer, 'render' | 'gone' | 'toast'>;
  /** How users of this app consent now; undefined: the app is not configured here. */
  readonly grantOf: (appId: string) => AuthGrant | undefined;
  /** Milliseconds from the click's arrival to our answer. */
  readonly ackBudgetMs: number;
  readonly sessionTtlMs: number;
  /** The process is stopping: new clicks get a toast. */
  readonly isStopping: () => boolean;
  readonly metrics: Pick<Metrics, 'sessionCreated' | 'sessionExpired' | 'sessionFailed' | 'cardAcked'>;
  readonly now: () => number;
  readonly logger: Logger;
}

/** How the click came in: acks sent on a connection that has closed meanwhile are lost. */
export interface ClickLink {
  isOpen(): boolean;
}

export interface Clicks {
  answer(action: CardAction, link: ClickLink): Promise<Ack>;
  /** The answer to a click that is no action of ours. */
  malformed(): Ack;
  /** Resolves when everything that follows the acks in hand is done. */
  settled(): Promise<void>;
}

/** From our answer until the ack has surely reached Feishu; PATCHes keep clear for so long. */
const ACK_FLIGHT_MS = 150;

/** What to answer, and which session's version its card shows. */
interface Answer {
  readonly ack: Ack;
  readonly shows: Session | null;
  /** The session whose message was held for this click. */
  readonly held: string | null;
  readonly outcome: string;
  /** Whose card it is, when somebody else has clicked. */
  readonly askedOpenId?: string;
}

export function createClicks(deps: ClickDeps): Clicks {
  const { sessions, producer, changes, hints, renderer, logger, metrics, now } = deps;

  const toast = (name: ToastName): Ack => ({ toast: renderer.toast(name) });
  const card = (data: object, name?: ToastName): Ack => ({
    ...(name === undefined ? {} : toast(name)),
    card: { type: 'raw', data },
  });
  const toastOnly = (name: ToastName, held: string | null = null): Answer => ({
    ack: toast(name),
    shows: null,
    held,
    outcome: name,
  });
  const show = (session: Session, name?: ToastName): Answer => ({
    ack: card(renderer.render(session, now()), name),
    shows: session,
    held: session.sessionId,
    outcome: name ?? session.state,
  });

  /** Waits for the link that is being made. */
  const awaitLink = async (claimed: Session, deadline: number): Promise<Answer> => {
    const { sessionId } = claimed;
    let notice = changes.wait(sessionId, deadline - now());
    try {
      await producer.link(sessionId, claimed.linkNumber);
      let session: Session | null = await sessions.get(sessionId);
      while (session !== null && isMakingLink(session) && (await notice.promise)) {
        notice = changes.wait(sessionId, deadline - now());
        session = await sessions.get(sessionId);
      }
      // A notice may have been lost.
      if (session !== null && isMakingLink(session)) session = await sessions.get(sessionId);
      if (session === null || isMakingLink(session)) return toastOnly('working_on_it', sessionId);
      return show(session);
    } finally {
      notice.cancel();
    }
  };

  /** She says she has agreed: asks Feishu as soon as its interval allows, and waits for what comes of it. */
  const check = async (before: Session, askInMs: number, deadline: number): Promise<Answer> => {
    const { sessionId } = before;
    // Only her browser can tell, and has not. The card is drawn anew: its link may be one of former settings.
    if (isCodeAwaited(before)) return show(before, 'still_waiting');
    let notice = changes.wait(sessionId, deadline - now());
    try {
      await producer.pollNow(sessionId, before.linkNumber, askInMs);
      let session: Session | null = before;
      while (session !== null && session.version === before.version && (await notice.promise)) {
        notice = changes.wait(sessionId, deadline - now());
        session = await sessions.get(sessionId);
      }
      if (session === null || session.version === before.version) return toastOnly('still_waiting', sessionId);
      return show(session);
    } finally {
      notice.cancel();
    }
  };

  /** Starts again on the same message. */
  const restart = async (ended: Session, deadline: number): Promise<Answer> => {
    const id = await sessions.restart(ended, newSessionId(ended.appId, now()), deps.sessionTtlMs);
    const session = id === null ? null : await sessions.get(id);
    if (session === null) return toastOnly('already_ended', ended.sessionId);
    if (session.messageId !== ended.messageId || !isLive(session.state)) return show(ended, 'already_ended');
    const ids = { app_id: session.appId, client_id: session.clientId, open_id: session.openId };
    const fields = { event: 'session.created', session_id: session.sessionId, continues: ended.sessionId, ...ids };
    logger.info(fields, 'The user starts again');
    metrics.sessionCreated(session.appId);
    hints.add(() => producer.expiry(session.sessionId, session.expiresAt - session.createdAt));
    return isMakingLink(session) ? await awaitLink(session, deadline) : show(session);
  };

  /** She takes her authorization back. The card of the session stays: what it says of that time is still true. */
  const revoke = async ({ openId, sessionId }: CardAction): Promise<Answer> => {
    const had = await deps.withdraw(appOfSession(sessionId) ?? '', openId, sessionId);
    return toastOnly(had ? 'withdrawn' : 'already_withdrawn', sessionId);
  };

  /** Made before the app's grant was changed: it cannot be shown any more. */
  const hasForeignLink = (session: Session): boolean =>
    isCodeAwaited(session) && deps.grantOf(session.appId) === 'device_code';

  /** The store's verdict on a click. */
  const press = async (action: CardAction, holdOwner: string): Promise<ClickOutcome> => {
    const { createdAt, messageId, openId, sessionId } = action;
    const click = { sessionId, operatorOpenId: openId, action: action.action, messageId, createdAt, holdOwner };
    let outcome = await sessions.click(click);
    if ((outcome.verdict === 'link' || outcome.verdict === 'check') && hasForeignLink(outcome.session)) {
      await sessions.linkDead(sessionId, outcome.session.linkNumber);
      outcome = await sessions.click(click);
    }
    if ('expiredNow' in outcome && outcome.expiredNow) {
      logger.info({ event: 'session.expired', ...idsOf(outcome.session) }, 'A session has expired');
      metrics.sessionExpired(outcome.session.appId);
    }
    return outcome;
  };

  const judge = async (action: CardAction, holdOwner: string, deadline: number): Promise<Answer> => {
    if (isOfOtherApp(action)) {
      const fields = { event: 'card.foreign_click', session_id: action.sessionId, open_id: action.openId };
      logger.warn({ ...fields, app_id: action.appId }, 'A click names a session of another app; nothing was changed');
      return toastOnly('not_for_you');
    }
    const outcome = await press(action, holdOwner);
    switch (outcome.verdict) {
      case 'unknown': {
        const fields = { event: 'card.unknown_session', session_id: action.sessionId, message_id: action.messageId };
        logger.warn(fields, 'A click names a session this store does not know: does another daemon use this app?');
        return toastOnly('gone');
      }
      case 'gone':
        // A grant outlives the record of its session, and the button on the card with it.
        if (action.action === 'revoke') return await revoke(action);
        return { ack: card(renderer.gone(), 'gone'), shows: null, held: null, outcome: 'gone' };
      case 'foreign':
        return { ...toastOnly('not_for_you'), askedOpenId: outcome.askedOpenId };
      case 'too_old':
        return toastOnly('too_old', action.sessionId);
      case 'claimed':
      case 'making':
        return await awaitLink(outcome.session, deadline);
      case 'check':
        return await check(outcome.session, outcome.askInMs, deadline);
      case 'declined':
        hints.add(() => producer.cardUpdate(action.sessionId));
        logger.info({ event: 'session.rejected', ...idsOf(outcome.session) }, 'The user declined on the card');
        metrics.sessionFailed(outcome.session.appId, 'rejected');
        return show(outcome.session, 'declined');
      case 'restart':
        return await restart(outcome.session, deadline);
      case 'continued': {
        const next = await sessions.get(outcome.session.nextSessionId ?? '');
        const sameMessage = next !== null && next.messageId === outcome.session.messageId;
        if (!sameMessage) return show(outcome.session, 'already_ended');
        return isMakingLink(next) ? await awaitLink(next, deadline) : show(next);
      }
      case 'revoke':
        return await revoke(action);
      case 'misplaced':
        return toastOnly('malformed', action.sessionId);
      case 'ended':
        return show(outcome.session, 'already_ended');
      case 'link':
      case 'confirming':
        return show(outcome.session);
    }
  };

  /** After the ack: the message may be updated again, and is known to show what the ack's card showed. */
  const follow = async (answer: Answer, holdOwner: string, link: ClickLink): Promise<void> => {
    const sessionId = answer.shows?.sessionId ?? answer.held;
    if (sessionId === null) return;
    await new Promise((resolve) => setTimeout(resolve, ACK_FLIGHT_MS));
    const shown = answer.shows !== null && link.isOpen() ? answer.shows.version : 0;
    if (await sessions.acked(sessionId, holdOwner, shown)) await producer.cardUpdate(sessionId);
  };

  return {
    async answer(action, link) {
      const started = now();
      if (deps.isStopping()) return toast('shutting_down');
      const holdOwner = randomUUID();
      const answer = await withinBudget(judge(action, holdOwner, started + deps.ackBudgetMs), deps.ackBudgetMs, {
        fallback: toastOnly(action.action === 'revoke' ? 'not_withdrawn' : 'try_again_soon', action.sessionId),
        onError: (error) => {
          const fields = { event: 'card.click_failed', session_id: action.sessionId, err: error };
          logger.warn(fields, 'A click could not be judged; the user was asked to try again');
        },
      });
      logger.info(
        {
          event: 'card.clicked',
          session_id: action.sessionId,
          app_id: appOfSession(action.sessionId),
          open_id: action.openId,
          message_id: action.messageId,
          event_id: action.eventId,
          action: action.action,
          outcome: answer.outcome,
          ...(answer.askedOpenId !== undefined && { asked_open_id: answer.askedOpenId }),
          took_ms: Math.round(now() - started),
        },
        answer.askedOpenId === undefined ? 'A click was answered' : 'Somebody else clicked; nothing was changed',
      );
      metrics.cardAcked(action.action, (now() - started) / 1000);
      hints.add(() => follow(answer, holdOwner, link));
      return answer.ack;
    },
    malformed: () => toast('malformed'),
    settled: () => hints.settled(),
  };
}

/** The same open_id may be somebody else in the other app. */
function isOfOtherApp({ appId, sessionId }: CardAction): boolean {
  const ofSession = appOfSession(sessionId);
  return appId !== null && ofSession !== null && appId !== ofSession;
}

/** She has a link of the authorization code grant, and nothing has come back by it. */
const isCodeAwaited = ({ link, linkState }: Session): boolean =>
  linkState === 'live' && link?.grant === 'authorization_code' && link.received === null;

const isMakingLink = (session: Session): boolean => isLive(session.state) && session.linkState === 'claimed';
