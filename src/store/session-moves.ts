/** The moves of the session store: what goes in and what came of it. Shapes only. Times in milliseconds. */
import type { CardActionName } from '../domain/card-action.js';
import type { Session } from '../domain/session.js';

export interface NewSession {
  readonly sessionId: string;
  readonly appId: string;
  readonly clientId: string;
  readonly openId: string;
  readonly scopes: readonly string[];
  readonly reason: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly chatId: string | null;
  readonly ttlMs: number;
  readonly cardLimitPerHour: number;
}

export interface EndedSession {
  readonly sessionId: string;
  readonly how: 'superseded' | 'expired';
}

export type CreateOutcome =
  /** `ended`: the session of the same client and user that this one has replaced, or whose time was over. */
  | { readonly kind: 'created'; readonly sessionId: string; readonly ended: EndedSession | null }
  /** `resend`: its card was recalled or deleted; the user gets another one. */
  | { readonly kind: 'live'; readonly sessionId: string; readonly resend: boolean }
  /** More scopes than one session can ask for, together with those of the live session. */
  | { readonly kind: 'too_many' }
  | { readonly kind: 'limited'; readonly retryAfterMs: number };

export interface ClickInput {
  readonly sessionId: string;
  readonly operatorOpenId: string;
  readonly action: CardActionName;
  readonly messageId: string | null;
  /** Milliseconds, null when the callback does not say. */
  readonly createdAt: number | null;
  /** Names this click among those in hand on the message. */
  readonly holdOwner: string;
}

export type ClickOutcome =
  /** `gone`: not there any more, though its message is ours. `unknown`: not of this store. */
  | { readonly verdict: 'unknown' | 'gone' | 'too_old' }
  | { readonly verdict: 'foreign'; readonly askedOpenId: string }
  | {
      readonly verdict:
        | ('claimed' | 'making' | 'link' | 'confirming' | 'declined' | 'ended' | 'restart' | 'continued')
        | ('revoke' | 'misplaced');
      readonly session: Session;
      /** Its time was over, and the click came before the job that ends it. */
      readonly expiredNow: boolean;
    }
  /** `askInMs`: the interval since the last poll is not over before that. */
  | { readonly verdict: 'check'; readonly session: Session; readonly askInMs: number };

export type BeginPoll =
  | { readonly kind: 'poll'; readonly session: Session; readonly now: number; readonly waiting: number }
  | { readonly kind: 'settle'; readonly session: Session; readonly now: number }
  | { readonly kind: 'dead' | 'stale' };

export type BeginCard =
  | { readonly kind: 'go'; readonly session: Session; readonly clicks: string }
  | { readonly kind: 'notice'; readonly session: Session }
  | { readonly kind: 'held' | 'busy'; readonly waitMs: number }
  /** The message belongs to a session that has continued this one, and is behind it. */
  | { readonly kind: 'moved'; readonly sessionId: string }
  | { readonly kind: 'done'; readonly ended: boolean };

/** `told`: of a session that is shown as messages; there may have been nothing to tell. */
export type CardOutcome = 'sent' | 'patched' | 'told' | 'gone' | 'uncertain' | 'failed';

export interface CardResult {
  readonly outcome: CardOutcome;
  readonly version: number;
  readonly clicks: string;
  readonly messageId?: string;
  /** Id of the news that was told. */
  readonly said?: string;
}
