/**
 * What must still happen for a session, derived from its record alone: the outbox (ARCHITECTURE §3.1). Jobs only carry
 * it out; the reconciler compares the two. Pure.
 */
import { isLive, type Session } from './session.js';

export type Duty =
  | { readonly kind: 'link' | 'poll'; readonly sessionId: string; readonly number: number }
  | { readonly kind: 'expiry'; readonly sessionId: string; readonly delayMs: number }
  | { readonly kind: 'card'; readonly sessionId: string };

/** `now`: milliseconds, by the clock of the session's times. */
export function dutiesOf(session: Session, now: number): Duty[] {
  const { sessionId, linkNumber: number, linkState } = session;
  const duties: Duty[] = [];
  if (isLive(session.state)) {
    duties.push({ kind: 'expiry', sessionId, delayMs: Math.max(0, session.expiresAt - now) });
  }
  if (session.state === 'authorizing' && linkState === 'claimed') duties.push({ kind: 'link', sessionId, number });
  const polled = session.state === 'authorizing' && linkState === 'live' && !awaitsRedirect(session);
  // Kept tokens are settled also when the session has been superseded meanwhile: the consent was real.
  if (polled || linkState === 'settling') duties.push({ kind: 'poll', sessionId, number });
  if (session.shownVersion < session.version) duties.push({ kind: 'card', sessionId });
  return duties;
}

/** Her browser brings the code; until then there is nothing to ask Feishu for. */
const awaitsRedirect = ({ link }: Session): boolean => link?.grant === 'authorization_code' && link.received === null;
