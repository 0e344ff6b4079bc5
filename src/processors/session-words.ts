/** What several processors say the same way. */
import type { FailureDetail, FailureReason, Session } from '../domain/session.js';

/** The ids of a session as log lines carry them. */
export const idsOf = (session: Session) => ({
  session_id: session.sessionId,
  app_id: session.appId,
  client_id: session.clientId,
  open_id: session.openId,
});

/** Why a session fails when Feishu's answer is final; told by who can act. */
export function reasonFor(detail: FailureDetail): FailureReason {
  switch (detail.for) {
    case 'operator':
      return 'app_misconfigured';
    case 'developer':
      return 'internal_error';
    case 'user':
      return 'upstream_error';
  }
}
