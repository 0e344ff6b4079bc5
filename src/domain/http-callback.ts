/** A callback or event that came by HTTP: where to, as it arrived, and what it turned out to be (FEISHU.md §3). */

/** What the console is given, for callbacks and for events, is the address of the callback server and this. */
export const cardCallbackPath = (appId: string): string => `/callback/cards/${appId}`;

export interface RawCallback {
  /** The body, byte for byte: what the signature covers. */
  readonly body: Buffer;
  /** X-Lark-Request-Timestamp: seconds. null: not sent, as with the others. */
  readonly timestamp: string | null;
  /** X-Lark-Request-Nonce. */
  readonly nonce: string | null;
  /** X-Lark-Signature. */
  readonly signature: string | null;
}

/**
 * Why a request is not taken for Feishu's. Nothing has been changed by it.
 * - `unsigned`: no signature, and it is not the console's question
 * - `unencrypted`: it is not `{"encrypt": …}`
 * - `stale`: signed, but its time is too far from ours
 * - `replayed`: the very same request was accepted before
 * - `undecryptable`: our key does not open it
 * - `wrong_app`: the envelope names another app than the path
 */
export type CallbackRefusal =
  | 'bad_signature'
  | 'unsigned'
  | 'unencrypted'
  | 'stale'
  | 'replayed'
  | 'bad_token'
  | 'wrong_app'
  | 'undecryptable'
  | 'too_large'
  | 'malformed';

export type OpenedCallback =
  /** The console asks whether the address is ours; the answer has this challenge in it. */
  | { readonly kind: 'challenge'; readonly challenge: string }
  | {
      readonly kind: 'envelope';
      readonly envelope: object;
      /** It could not be accepted after all: the same request may come again. Never fails. */
      readonly release: () => Promise<void>;
    }
  | { readonly kind: 'refused'; readonly reason: CallbackRefusal };

/** A JSON object to answer with; null: no body. */
export interface CallbackAnswer {
  readonly status: 200 | 401 | 500;
  readonly body: object | null;
}
