/** What several processors say the same way. */
import type { FailureDetail, FailureReason } from '../domain/session.js';

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
