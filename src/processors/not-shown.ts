/**
 * What an attempt to show a session leads to when Feishu did not take it: another attempt, soon or when an operator has
 * acted; the end of a session whose user cannot be reached; or nothing, when the session goes on without the message.
 */
import type { Logger } from 'pino';
import type { FeishuError } from '../domain/feishu-error.js';
import { again, type JobOutcome } from '../domain/job.js';
import { idsOf } from '../domain/log-ids.js';
import type { Metrics } from '../domain/metrics.js';
import type { Session } from '../domain/session.js';
import type { SessionStore } from '../store/session-store.js';
import type { Unreachable } from '../store/unreachable.js';
import type { FloodGate } from '../telemetry/flood-gate.js';
import { reasonFor } from './session-words.js';
import type { Showing, Shown } from './showing.js';

export interface NotShownDeps {
  readonly sessions: Pick<SessionStore, 'fail'>;
  readonly unreachable: Unreachable;
  readonly metrics: Pick<Metrics, 'sessionFailed'>;
  readonly logger: Logger;
  /** When Feishu is in trouble, every card is. */
  readonly gate: Pick<FloodGate, 'warn' | 'error'>;
}

/** null: nothing more to do. Throws the error when the job is to be repeated with backoff. */
export type NotShown = (
  session: Session,
  shown: Shown & { readonly error: FeishuError },
  events: Showing['events'],
) => Promise<JobOutcome | null>;

/** An operator has to act before a repeat makes sense. */
const OPERATOR_PAUSE_MS = 60_000;

export function createNotShown({ gate, logger, metrics, sessions, unreachable }: NotShownDeps): NotShown {
  const undeliverable = async (session: Session, error: FeishuError): Promise<null> => {
    const detail = error.toFailureDetail();
    const reason = error.meaning === 'unreachable' ? 'user_unreachable' : reasonFor(detail);
    if (reason === 'user_unreachable') await unreachable.note(session.appId, session.openId, error);
    if (await sessions.fail(session.sessionId, reason, detail, { cardGone: true })) {
      const fields = { event: 'session.failed', ...idsOf(session), failure_reason: reason };
      const feishu = { feishu_code: error.feishuCode, log_id: error.logId };
      logger.error({ ...fields, ...feishu }, `Feishu does not deliver the message: ${error.remedy}`);
      metrics.sessionFailed(session.appId, reason);
    }
    return null;
  };

  return async (session, { error, isNeeded = false, outcome }, events) => {
    const fields = { ...idsOf(session), message_id: session.messageId, feishu_code: error.feishuCode };
    const line = { event: events.failed, ...fields, log_id: error.logId, kind: error.kind, err: error };
    const fault = `${events.failed} ${session.appId} ${error.api} ${error.kind} ${error.feishuCode}`;
    if (outcome === 'gone') {
      logger.info({ ...line, event: events.givenUp }, 'The chat can not be brought up to date any more');
      return null;
    }
    if (error.kind === 'rate_limited') return again(error.retryAfterMs ?? 1_000);
    const patient = error.meaning === 'retry' || error.meaning === null || error.api.startsWith('auth.');
    if (error.kind !== 'refused' || patient) {
      gate.warn(fault, line, 'A message could not be sent or updated; it is tried again');
      if (error.kind === 'refused') return again(OPERATOR_PAUSE_MS);
      throw error;
    }
    if (isNeeded) return await undeliverable(session, error);
    gate.error(fault, line, `A message could not be sent or updated: ${error.remedy}`);
    return again(OPERATOR_PAUSE_MS);
  };
}
