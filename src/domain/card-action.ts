/** A click on one of our cards, out of whatever shape it came in (FEISHU.md §3.3). */

/** Feishu's name of the callback. */
export const CLICK_EVENT = 'card.action.trigger';

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

/**
 * - `click`: an action of ours
 * - `malformed`: a click that is no action of ours; `keys` are the names in its payload, for the log
 * - `event`: not a click; `type` as Feishu names it
 * - `nothing`: not an envelope at all
 */
export type Received =
  | { readonly kind: 'click'; readonly action: CardAction }
  | { readonly kind: 'malformed'; readonly problem: string; readonly keys: readonly string[] }
  | { readonly kind: 'event'; readonly type: string; readonly eventId: string | null }
  | { readonly kind: 'nothing' };
