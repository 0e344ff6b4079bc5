/** Feishu gives no token, and another link would not help: the session fails. */
import type { Logger } from 'pino';
import { DONE, type JobOutcome } from '../domain/job.js';
import { idsOf } from '../domain/log-ids.js';
import type { Metrics } from '../domain/metrics.js';
import type { FailureDetail, FailureReason, Session } from '../domain/session.js';
import type { Producer } from '../queue/producer.js';
import type { SessionStore } from '../store/session-store.js';
import { reasonFor } from './session-words.js';

/** `reason`: by who can act on the detail. */
export type Refused = (session: Session, detail: FailureDetail, reason?: FailureReason) => Promise<JobOutcome>;

export interface RefusedDeps {
  readonly sessions: Pick<SessionStore, 'fail'>;
  readonly producer: Pick<Producer, 'cardUpdate'>;
  readonly metrics: Pick<Metrics, 'sessionFailed'>;
  readonly logger: Logger;
}

export function createRefused({ logger, metrics, producer, sessions }: RefusedDeps): Refused {
  return async (session, detail, reason = reasonFor(detail)) => {
    if (await sessions.fail(session.sessionId, reason, detail)) {
      const fields = { event: 'session.failed', ...idsOf(session), failure_reason: reason };
      const feishu = { feishu_code: detail.feishu_code, log_id: detail.log_id };
      logger.error({ ...fields, ...feishu }, `Feishu gives no token: ${detail.remedy}`);
      metrics.sessionFailed(session.appId, reason);
    }
    await producer.cardUpdate(session.sessionId);
    return DONE;
  };
}
