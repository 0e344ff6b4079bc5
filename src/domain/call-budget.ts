/**
 * The port to the shared budget of calls to Feishu (ARCHITECTURE invariant 4). The store implements it over Redis, so
 * that all processes of the daemon draw from one log; adapters that call Feishu only know this. Times in milliseconds.
 */

/** What one kind of call may use. */
export interface CallLimits {
  /** Feishu's bound for app and API within any second. */
  readonly perSecond: number;
  /** Feishu's bound for app and API within any minute. */
  readonly perMinute: number;
  /** The caller gives up its turn rather than wait longer than this. */
  readonly maxWaitMs: number;
  /** A class of calls (say `poll`) that may use only this part (0..1) of both bounds, so that others find room. */
  readonly share?: { readonly name: string; readonly part: number } | undefined;
  /** Narrower bounds the call falls under as well: per message, per chat, per user. */
  readonly also?: readonly NarrowLimit[] | undefined;
}

export interface NarrowLimit {
  /** `message:<id>`, `chat:<id>`, `user:<open_id>`. */
  readonly id: string;
  readonly perSecond: number;
}

export interface CallRequest extends CallLimits {
  readonly appId: string;
  /** Dotted name of the API: `im.message.create`, `oauth.token`. */
  readonly api: string;
}

/**
 * `granted`: the call counts from now on; send it after `waitMs`. Not granted: nothing was taken; ask again after
 * `retryAfterMs`, which may well fit into `maxWaitMs` when a narrow bound stood in the way.
 */
export type Turn =
  | { readonly granted: true; readonly waitMs: number }
  | { readonly granted: false; readonly retryAfterMs: number };

export interface CallBudget {
  /** Rejects when the shared log cannot be reached. */
  reserve(request: CallRequest): Promise<Turn>;
  /** Nobody calls this API for so long: Feishu said so. With `narrowId` only calls under that narrow bound wait. */
  pause(appId: string, api: string, ms: number, narrowId?: string): Promise<void>;
  /** How long a pause of the whole API still lasts; 0 when there is none. */
  pausedForMs(appId: string, api: string): Promise<number>;
}

/** Rate tier 4 of FEISHU.md §7, the tier of every API we call. */
export const TIER_4 = { perSecond: 50, perMinute: 1000 } as const;

/** FEISHU.md §4.2 and §4.3: per message, per chat, per user. */
export const NARROW_PER_SECOND = 5;

/** Polls and refreshes share the token endpoint; neither class may use more than this part of it. */
export const TOKEN_SHARE = 0.8;
