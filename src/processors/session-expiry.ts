/** Queue `session-expiry`: ends a session whose time is over. A job that wakes early looks at Redis's clock and waits. */
import type { Logger } from 'pino';
import { again, DONE, type Processor, sessionOf } from '../domain/job.js';
import type { Metrics } from '../domain/metrics.js';
import { appOfSession } from '../domain/session-id.js';
import type { Producer } from '../queue/producer.js';
import type { SessionStore } from '../store/session-store.js';

export interface SessionExpiryDeps {
  readonly sessions: SessionStore;
  readonly producer: Producer;
  readonly metrics: Pick<Metrics, 'sessionExpired'>;
  readonly logger: Logger;
}

/** So many expired cards without one click of anybody tell that clicks do not reach us. */
const SILENT_AFTER = 5;
/** No timer and no queue delay grows beyond what a 32-bit timer holds; the job looks again. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

export function createSessionExpiryProcessor(deps: SessionExpiryDeps): Processor {
  return async (job) => {
    const sessionId = sessionOf(job);
    if (sessionId === null) return DONE;
    const { leftMs, unclicked } = await deps.sessions.expire(sessionId);
    if (leftMs > 0) return again(Math.min(leftMs + 10, LONGEST_WAIT_MS));
    if (leftMs < 0) return DONE;
    const ids = { session_id: sessionId, app_id: appOfSession(sessionId) };
    deps.logger.info({ event: 'session.expired', ...ids }, 'A session has expired');
    deps.metrics.sessionExpired(ids.app_id ?? '');
    if (unclicked > 0 && unclicked % SILENT_AFTER === 0) {
      deps.logger.warn(
        { event: 'callbacks.silent', ...ids, expired_sessions: unclicked },
        'Cards expire and no click has arrived. Check 事件与回调 > 回调配置: long connection and card.action.trigger, ' +
          'published; and whether another program uses this app and takes the clicks',
      );
    }
    await deps.producer.cardUpdate(sessionId);
    return DONE;
  };
}
