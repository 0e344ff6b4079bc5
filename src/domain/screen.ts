/** Which card a session shows. Pure: the renderer turns the name into `cards/<name>.json`. */
import type { Session } from './session.js';

export const SCREENS = [
  'request',
  'link',
  'confirming',
  'link-expired',
  'wrong-account',
  'authorized',
  'rejected',
  'expired',
  'failed',
  'wrong-account-final',
  'missing-scopes',
  'superseded',
  'invalidated',
] as const;
export type Screen = (typeof SCREENS)[number];

/** Screens that are not about a stored session. `gone`: the session of a clicked card is not known any more. */
export const GONE_SCREEN = 'gone';

export function screenOf(session: Pick<Session, 'state' | 'linkState' | 'failureReason'>): Screen {
  switch (session.state) {
    case 'pending':
      return 'request';
    case 'authorizing':
      return liveScreen(session.linkState);
    case 'completed':
      return 'authorized';
    case 'failed':
      if (session.failureReason === 'identity_mismatch') return 'wrong-account-final';
      if (session.failureReason === 'insufficient_scope') return 'missing-scopes';
      return 'failed';
    case 'rejected':
    case 'expired':
    case 'superseded':
    case 'invalidated':
      return session.state;
  }
}

function liveScreen(linkState: Session['linkState']): Screen {
  switch (linkState) {
    case 'live':
      return 'link';
    case 'settling':
      return 'confirming';
    case 'wrong_account':
      return 'wrong-account';
    case 'dead':
    case 'claimed':
    case 'none':
      return 'link-expired';
  }
}
