/**
 * How the chat is made to say a session's present state: by a card that changes (show-card.ts) or by messages, one for
 * each piece of news (show-message.ts). The port between them and card-update.ts, and what they share.
 */
import { createHash } from 'node:crypto';
import type { FeishuError } from '../domain/feishu-error.js';
import type { MessageName } from '../domain/news.js';
import type { Session } from '../domain/session.js';
import type { CardOutcome } from '../store/session-moves.js';

export interface Showing {
  /** One attempt, for the state as given. Errors of Feishu are told in the result; all others pass. */
  show(session: Session): Promise<Shown>;
  /** `event` of the log line about an attempt that has failed, and about one that is not repeated. */
  readonly events: { readonly failed: string; readonly givenUp: string };
}

export interface Shown {
  readonly outcome: CardOutcome;
  /** Of a message that was sent. */
  readonly messageId?: string;
  /** The news it brings, and its id. */
  readonly message?: MessageName;
  readonly said?: string;
  readonly error?: FeishuError;
  /** Without it the user cannot answer: when Feishu refuses it for good, the session has failed. */
  readonly isNeeded?: boolean;
}

/** Nothing an operator does brings these messages back; what is a bug of ours would repeat for ever. */
export const endsMessage = ({ kind, meaning }: FeishuError): boolean =>
  kind === 'refused' && (meaning === 'gone' || meaning === 'unreachable' || meaning === 'bug');

/** Feishu sends at most one message per uuid within an hour (FEISHU.md §4.2): a repeat after a crash is no second one. */
export const uuidOf = (kind: string, sessionId: string): string =>
  createHash('sha256').update(`${kind} ${sessionId}`).digest('hex').slice(0, 40);
