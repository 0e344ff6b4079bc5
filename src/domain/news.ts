/**
 * What a session whose user is asked by messages has to tell next (CARD=link). A message is never changed again, so the
 * chat says a session's present state once it has told the newest piece of news; states in between are none. Pure.
 */
import { screenOf } from './screen.js';
import { currentLinkNumber, isLive, type Session } from './session.js';

/** Messages, each with its text in `cards/messages.json`. */
export const MESSAGES = [
  'request',
  'wrong-account',
  'authorized',
  'rejected',
  'expired',
  'failed',
  'wrong-account-final',
  'missing-scopes',
  'invalidated',
] as const;
export type MessageName = (typeof MESSAGES)[number];

export interface News {
  readonly message: MessageName;
  /** Names it within the session, for the record and for the uuid by which Feishu knows a repeat. */
  readonly id: string;
}

/** News so old would only puzzle her. Milliseconds. */
const LIFE_MS = 72 * 3_600_000;
const END = 'end';
/** A prefix of no other id; the number of the link follows. */
const LINK = 'link ';

type Told = Pick<Session, 'state' | 'linkState' | 'linkNumber' | 'failureReason' | 'mismatches' | 'said' | 'endedAt'>;

/**
 * null: there is nothing to tell, or it was told.
 * @param now milliseconds, by the clock the session's times are from
 */
export function newsOf(session: Told, now: number): News | null {
  if (!isLive(session.state)) {
    const isOld = session.endedAt !== null && now - session.endedAt > LIFE_MS;
    return session.said === END || isOld ? null : endOf(session);
  }
  // Whose consent it was is being verified: the next news is what comes of that.
  if (session.linkState === 'settling') return null;
  const number = currentLinkNumber(session);
  if (session.said?.startsWith(LINK) && Number(session.said.slice(LINK.length)) >= number) return null;
  return { message: session.mismatches > 0 ? 'wrong-account' : 'request', id: `${LINK}${number}` };
}

/** A replaced session is told by the request that has replaced it, which comes at the same moment. */
function endOf(session: Told): News | null {
  const screen = screenOf(session);
  const message = MESSAGES.find((name) => name === screen);
  return message === undefined ? null : { message, id: END };
}
