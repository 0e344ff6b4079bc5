/** What Feishu sends over the long connection, out of whatever shape it came in (FEISHU.md §3.3 to §3.5). */

/** Feishu's names of the callback, and of the events we act on. */
export const CLICK_EVENT = 'card.action.trigger';
export const WITHDRAWAL_EVENT = 'auth.user_access_token.revoked_v4';
export const LEFT_EVENT = 'contact.user.deleted_v3';

export const CARD_ACTIONS = ['authorize', 'agreed', 'decline', 'restart', 'revoke'] as const;
export type CardActionName = (typeof CARD_ACTIONS)[number];

export interface CardAction {
  readonly eventId: string | null;
  readonly appId: string | null;
  /** Who clicked. */
  readonly openId: string;
  /** The card's message, when the callback names a real one (`om_…`). */
  readonly messageId: string | null;
  readonly action: CardActionName;
  readonly sessionId: string;
  /** Milliseconds. */
  readonly createdAt: number | null;
}

/** The answer to a click: JSON object of FEISHU.md §3.3. */
export interface Ack {
  readonly toast?: object;
  readonly card?: { readonly type: 'raw'; readonly data: object };
}

/** An event about one user. It says nothing about which of her consents it belongs to but by its time. */
export interface UserEvent {
  /** As Feishu names it. */
  readonly type: string;
  readonly eventId: string | null;
  readonly openId: string;
  /** Milliseconds; null when the event does not say. */
  readonly createdAt: number | null;
}

/** Tokens of the user were revoked at Feishu: `user_access_token`, `refresh_token`, or whatever it may add. */
export interface WithdrawalEvent extends UserEvent {
  readonly tokenTypes: readonly string[];
}

/**
 * - `click`: an action of ours
 * - `malformed`: a click that is no action of ours; `keys` are the names in its payload, for the log
 * - `withdrawal`: the user's tokens were revoked; `left`: she is not in the company any more
 * - `event`: every other event, or one of these that names no user; `type` as Feishu names it
 * - `nothing`: not an envelope at all
 */
export type Received =
  | { readonly kind: 'click'; readonly action: CardAction }
  | { readonly kind: 'malformed'; readonly problem: string; readonly keys: readonly string[] }
  | { readonly kind: 'withdrawal'; readonly event: WithdrawalEvent }
  | { readonly kind: 'left'; readonly event: UserEvent }
  | { readonly kind: 'event'; readonly type: string; readonly eventId: string | null }
  | { readonly kind: 'nothing' };
