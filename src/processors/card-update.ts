/**
 * Queue `card-update`: makes a message show its session's present state (ARCHITECTURE invariant 2). Level-triggered:
 * whatever woke it, it reads the state, sends or updates the card, and looks again. One update of a message at a time;
 * it keeps clear of clicks in hand; after an update without an answer the state is shown once more.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { FeishuError } from '../domain/feishu-error.js';
import { again, DONE, type JobOutcome, type Processor, sessionOf } from '../domain/job.js';
import { idsOf } from '../domain/log-ids.js';
import type { Metrics } from '../domain/metrics.js';
import type { Session } from '../domain/session.js';
import type { CardRenderer } from '../feishu/cards/card-renderer.js';
import type { OpenApi } from '../feishu/open-api/open-api.js';
import type { Changes } from '../store/changes.js';
import type { BeginCard, CardResult } from '../store/session-moves.js';
import type { SessionStore } from '../store/session-store.js';
import type { Unreachable } from '../store/unreachable.js';
import type { FloodGate } from '../telemetry/flood-gate.js';
import { reasonFor } from './session-words.js';

export interface CardUpdateDeps {
  readonly sessions: SessionStore;
  readonly changes: Changes;
  readonly unreachable: Unreachable;
  readonly renderer: Pick<CardRenderer, 'render' | 'notice'>;
  readonly messages: (appId: string) => Pick<OpenApi, 'sendCard' | 'sendText' | 'patchCard'> | undefined;
  /** Takes away the job that would have ended the session. */
  readonly dropExpiry: (sessionId: string) => Promise<void>;
  readonly metrics: Pick<Metrics, 'cardUpdated' | 'sessionFailed'>;
  readonly now: () => number;
  readonly logger: Logger;
  /** When Feishu is in trouble, every card is. */
  readonly gate: Pick<FloodGate, 'warn' | 'error'>;
}

/** Rounds of one job; more changes than this are left to a next run. */
const MAX_ROUNDS = 20;
/** An operator has to act before a repeat makes sense. */
const OPERATOR_PAUSE_MS = 60_000;
const NOTICE_PAUSE_MS = 5_000;
/** The app is not configured in this process; another of the fleet may have it. */
const APP_ELSEWHERE_MS = 5_000;

type Shown = Pick<CardResult, 'outcome' | 'messageId'> & { readonly error?: FeishuError };

export function createCardUpdateProcessor(deps: CardUpdateDeps): Processor {
  const { sessions, logger, metrics } = deps;

  const show = async (session: Session): Promise<Shown> => {
    const messages = deps.messages(session.appId);
    if (messages === undefined) return { outcome: 'failed' };
    const card = deps.renderer.render(session, deps.now());
    try {
      if (session.messageId !== null) {
        await messages.patchCard({ messageId: session.messageId, card });
        return { outcome: 'patched' };
      }
      const uuid = uuidOf(`card ${session.cards}`, session.sessionId);
      const sent = await messages.sendCard({ receiveIdType: 'open_id', receiveId: session.openId, card, uuid });
      return { outcome: 'sent', messageId: sent.messageId };
    } catch (error) {
      if (!(error instanceof FeishuError)) throw error;
      if (session.messageId === null) return { outcome: 'failed', error };
      if (error.kind === 'uncertain') return { outcome: 'uncertain', error };
      const ended = error.kind === 'refused' && endsMessage(error);
      return { outcome: ended ? 'gone' : 'failed', error };
    }
  };

  /** What a failed send or update leads to; null: nothing more to do. */
  const afterError = async (session: Session, shown: Shown, error: FeishuError): Promise<JobOutcome | null> => {
    const fields = { ...idsOf(session), message_id: session.messageId, feishu_code: error.feishuCode };
    const line = { event: 'card.update_failed', ...fields, log_id: error.logId, kind: error.kind, err: error };
    const fault = `card ${session.appId} ${error.api} ${error.kind} ${error.feishuCode}`;
    if (shown.outcome === 'gone') {
      logger.info({ ...line, event: 'card.gone' }, 'The message can not be updated any more; the session goes on');
      return null;
    }
    if (error.kind === 'rate_limited') return again(error.retryAfterMs ?? 1_000);
    const patient = error.meaning === 'retry' || error.meaning === null || error.api.startsWith('auth.');
    if (error.kind !== 'refused' || patient) {
      deps.gate.warn(fault, line, 'A card could not be shown; it is tried again');
      if (error.kind === 'refused') return again(OPERATOR_PAUSE_MS);
      throw error;
    }
    if (session.messageId !== null) {
      deps.gate.error(fault, line, `A card could not be updated: ${error.remedy}`);
      return again(OPERATOR_PAUSE_MS);
    }
    return await undeliverable(session, error);
  };

  const undeliverable = async (session: Session, error: FeishuError): Promise<null> => {
    const detail = error.toFailureDetail();
    const reason = error.meaning === 'unreachable' ? 'user_unreachable' : reasonFor(detail);
    if (reason === 'user_unreachable') await deps.unreachable.note(session.appId, session.openId, error);
    if (await sessions.fail(session.sessionId, reason, detail, { cardGone: true })) {
      const fields = { event: 'session.failed', ...idsOf(session), failure_reason: reason };
      const feishu = { feishu_code: error.feishuCode, log_id: error.logId };
      logger.error({ ...fields, ...feishu }, `Feishu does not deliver the card: ${error.remedy}`);
      metrics.sessionFailed(session.appId, reason);
    }
    return null;
  };

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
        logger.warn({ ...fields, log_id: error.logId }, 'The group could not be told; the card was sent');
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

  const update = async (begun: Extract<BeginCard, { kind: 'go' }>, owner: string): Promise<JobOutcome | 'next'> => {
    const { clicks, session } = begun;
    const shown = await show(session);
    metrics.cardUpdated(shown.outcome);
    const left = await sessions.endCard(session.sessionId, owner, { ...shown, version: session.version, clicks });
    if (shown.outcome === 'sent') {
      const fields = { event: 'card.sent', ...idsOf(session), message_id: shown.messageId };
      logger.info(fields, 'The card was sent');
    }
    if (shown.outcome === 'patched') {
      const fields = { event: 'card.updated', ...idsOf(session), message_id: session.messageId };
      logger.info({ ...fields, state: session.state }, 'The card was updated');
    }
    if (shown.error !== undefined) return (await afterError(session, shown, shown.error)) ?? 'next';
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
      const begun = await sessions.beginCard(sessionId, owner);
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

/** Nothing an operator does brings these messages back; what is a bug of ours would repeat for ever. */
const endsMessage = (error: FeishuError): boolean =>
  error.meaning === 'gone' || error.meaning === 'unreachable' || error.meaning === 'bug';

/** Feishu sends at most one message per uuid within an hour (FEISHU.md §4.2): a repeat after a crash is no second card. */
const uuidOf = (kind: string, sessionId: string): string =>
  createHash('sha256').update(`${kind} ${sessionId}`).digest('hex').slice(0, 40);
