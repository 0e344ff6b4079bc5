/**
 * Queue `card-update`: makes a message show its session's present state (ARCHITECTURE invariant 2). Level-triggered:
 * whatever woke it, it reads the state, has it shown (showing.ts), and looks again. One update of a message at a time;
 * it keeps clear of clicks in hand; after an update without an answer the state is shown once more.
 */
import { randomUUID } from 'node:crypto';
import type { CardKind } from '../config/config.js';
import { FeishuError } from '../domain/feishu-error.js';
import { again, DONE, type JobOutcome, type Processor, sessionOf } from '../domain/job.js';
import { idsOf } from '../domain/log-ids.js';
import type { Metrics } from '../domain/metrics.js';
import type { Session } from '../domain/session.js';
import { appOfSession } from '../domain/session-id.js';
import type { CardRenderer } from '../feishu/cards/card-renderer.js';
import type { OpenApi } from '../feishu/open-api/open-api.js';
import type { Changes } from '../store/changes.js';
import type { BeginCard } from '../store/session-moves.js';
import type { SessionStore } from '../store/session-store.js';
import { createNotShown, type NotShownDeps } from './not-shown.js';
import { type Showing, type Shown, uuidOf } from './showing.js';

export interface CardUpdateDeps extends NotShownDeps {
  readonly sessions: SessionStore;
  readonly changes: Changes;
  /** How the users of this app are asked; undefined: the app is not configured in this process. */
  readonly kindOf: (appId: string) => CardKind | undefined;
  /** By what the session's first message was. */
  readonly showings: Readonly<Record<CardKind, Showing>>;
  readonly renderer: Pick<CardRenderer, 'notice'>;
  readonly messages: (appId: string) => Pick<OpenApi, 'sendText'> | undefined;
  /** Takes away the job that would have ended the session. */
  readonly dropExpiry: (sessionId: string) => Promise<void>;
  readonly metrics: Pick<Metrics, 'cardUpdated' | 'sessionFailed'>;
}

/** Rounds of one job; more changes than this are left to a next run. */
const MAX_ROUNDS = 20;
const NOTICE_PAUSE_MS = 5_000;
/** The app is not configured in this process; another of the fleet may have it. */
const APP_ELSEWHERE_MS = 5_000;

export function createCardUpdateProcessor(deps: CardUpdateDeps): Processor {
  const { sessions, logger, metrics } = deps;
  const notShown = createNotShown(deps);

  /** The group's notice: sent once; given up when Feishu refuses it for good. */
  const notify = async (session: Session): Promise<JobOutcome | 'next'> => {
    const messages = deps.messages(session.appId);
    if (session.chatId !== null && messages !== undefined) {
      try {
        const uuid = uuidOf('notice', session.sessionId);
        const text = deps.renderer.notice(session);
        await messages.sendText({ receiveIdType: 'chat_id', receiveId: session.chatId, text, uuid });
      } catch (error) {
        if (!(error instanceof FeishuError)) throw error;
        if (error.kind !== 'refused') return again(error.retryAfterMs ?? NOTICE_PAUSE_MS);
        const fields = { event: 'notice.failed', ...idsOf(session), feishu_code: error.feishuCode };
        logger.warn({ ...fields, log_id: error.logId }, 'The group could not be told; the user herself was');
      }
    }
    await sessions.noticed(session.sessionId);
    return 'next';
  };

  /** A click is in hand: its ack may show the state by itself, and an update before it would be reverted. */
  const awaitAck = async (sessionId: string, waitMs: number, signal: AbortSignal): Promise<JobOutcome | 'next'> => {
    const released = deps.changes.wait(sessionId, waitMs + 20);
    const stop = (): void => released.cancel();
    signal.addEventListener('abort', stop, { once: true });
    await released.promise;
    signal.removeEventListener('abort', stop);
    return signal.aborted ? again(500) : 'next';
  };

  const logShown = (session: Session, { message, messageId, outcome }: Shown): void => {
    if (outcome === 'sent') {
      logger.info({ event: 'card.sent', ...idsOf(session), message_id: messageId }, 'The card was sent');
    }
    if (outcome === 'patched') {
      const fields = { event: 'card.updated', ...idsOf(session), message_id: session.messageId };
      logger.info({ ...fields, state: session.state }, 'The card was updated');
    }
    if (outcome === 'told' && message !== undefined) {
      const fields = { event: 'message.sent', ...idsOf(session), message_id: messageId };
      logger.info({ ...fields, state: session.state, message }, 'A message was sent');
    }
  };

  const update = async (begun: Extract<BeginCard, { kind: 'go' }>, owner: string): Promise<JobOutcome | 'next'> => {
    const { clicks, session } = begun;
    const showing = deps.showings[session.shownAs];
    const shown = await showing.show(session);
    if (shown.outcome !== 'told') metrics.cardUpdated(shown.outcome);
    else if (shown.message !== undefined) metrics.cardUpdated('sent');
    const left = await sessions.endCard(session.sessionId, owner, { ...shown, version: session.version, clicks });
    logShown(session, shown);
    const { error } = shown;
    if (error !== undefined) return (await notShown(session, { ...shown, error }, showing.events)) ?? 'next';
    if (shown.outcome === 'failed') return again(APP_ELSEWHERE_MS);
    return left !== null && left > 0 ? again(left) : 'next';
  };

  const round = async (
    begun: Exclude<BeginCard, { kind: 'moved' }>,
    { owner, sessionId, signal }: { owner: string; sessionId: string; signal: AbortSignal },
  ): Promise<JobOutcome | 'next'> => {
    switch (begun.kind) {
      case 'done':
        if (begun.ended) await deps.dropExpiry(sessionId);
        return DONE;
      case 'busy':
        return again(Math.min(begun.waitMs, 1_000));
      case 'held':
        return await awaitAck(sessionId, begun.waitMs, signal);
      case 'notice':
        return await notify(begun.session);
      case 'go':
        return await update(begun, owner);
    }
  };

  return async (job) => {
    let sessionId = sessionOf(job);
    if (sessionId === null) return DONE;
    for (let rounds = 0; rounds < MAX_ROUNDS; rounds += 1) {
      const owner = randomUUID();
      const begun = await sessions.beginCard(sessionId, owner, deps.kindOf(appOfSession(sessionId) ?? ''));
      if (begun.kind === 'moved') {
        sessionId = begun.sessionId;
        continue;
      }
      const outcome = await round(begun, { owner, sessionId, signal: job.signal });
      if (outcome !== 'next') return outcome;
    }
    return again(500);
  };
}
