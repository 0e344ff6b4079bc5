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

/** Not about a stored session: the session of a clicked card is not known any more. */
export const GONE_SCREEN = 'gone';

/** Not about a session: a message of its own that tells of a withdrawn grant. */
export const WITHDRAWN_SCREEN = 'withdrawn';

export function screenOf(session: Pick<Session, 'state' | 'linkState' | 'linkNumber' | 'failureReason'>): Screen {
  switch (session.state) {
    case 'pending':
      return 'request';
    case 'authorizing':
      return liveScreen(session);
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

function liveScreen(session: Pick<Session, 'linkState' | 'linkNumber'>): Screen {
  switch (session.linkState) {
    case 'live':
      return 'link';
    case 'settling':
      return 'confirming';
    case 'wrong_account':
      return 'wrong-account';
    case 'dead':
      return 'link-expired';
    case 'none':
      return 'request';
    case 'claimed':
      // The first link is being made: nothing new to show yet. A later one replaces a dead link.
      return session.linkNumber > 1 ? 'link-expired' : 'request';
  }
}
