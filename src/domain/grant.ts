/** A grant: what a user has given us for an app, as it is kept and as it may be shown. Pure. Times in milliseconds. */
import type { FailureDetail } from './session.js';
import type { TokenSet } from './token-set.js';

export const GRANT_STATES = ['active', 'reauthorization_required', 'revoked', 'suspended', 'none'] as const;
export type GrantState = (typeof GRANT_STATES)[number];

export interface GrantStatus {
  readonly status: GrantState;
  readonly appId: string;
  readonly openId: string;
  readonly scopes: readonly string[];
  /** End of the access token. */
  readonly expiresAt: number | null;
  readonly refreshExpiresAt: number | null;
  /** When the user consented. */
  readonly authorizedAt: number | null;
  /** Whether there is a refresh token. */
  readonly renewable: boolean;
  /** The clients whose sessions led to it. */
  readonly clientIds: readonly string[];
  /** Why it is not active, where Feishu has said something about it. */
  readonly detail: FailureDetail | null;
}

/** An access token as a client may read it. */
export interface AccessToken {
  /** Secret. */
  readonly accessToken: string;
  readonly tokenType: string;
  readonly expiresAt: number;
  /** Life of the access token in seconds when it was given. */
  readonly expiresIn: number;
  readonly scopes: readonly string[];
}

/** What of a token set a client may read. */
export const accessTokenOf = ({ accessToken, expiresAt, expiresIn, scopes, tokenType }: TokenSet): AccessToken => ({
  accessToken,
  tokenType,
  expiresAt,
  expiresIn,
  scopes,
});

/** What is sealed of a grant. Times in milliseconds. */
export interface Grant {
  readonly tokens: TokenSet;
  /** When the user consented: 365 days later refreshing ends (FEISHU.md §6.2). */
  readonly authorizedAt: number;
  /** Clients whose sessions led to it. */
  readonly clientIds: readonly string[];
  /** An access token of an earlier consent that may do more, until it ends. */
  readonly wider?: AccessToken;
}

export interface StoredGrant {
  readonly generation: number;
  readonly grant: Grant;
}

/** A grant with what is known beside it, as of one moment of Redis's clock. */
export interface GrantView {
  readonly now: number;
  readonly stored: StoredGrant | null;
  readonly marks: GrantMarks;
}

/** What is known beside a grant. Times by Redis's clock; nothing here is secret. */
export interface GrantMarks {
  /** About the generation that is stored; null: nothing has been said against it. */
  readonly status: 'suspended' | 'reauthorization_required' | 'revoked' | null;
  readonly detail: FailureDetail | null;
  readonly failures: number;
  readonly retryAt: number | null;
  readonly usedAt: number | null;
  readonly askedAt: number | null;
  /** Since when Feishu has told of a withdrawal that is not verified yet. */
  readonly suspectAt: number | null;
  /** She must still be asked again. */
  readonly ask: boolean;
  /** When the grant was withdrawn, as long as she must still be told. */
  readonly noticeAt: number | null;
  /** The clients of a grant whose tokens are gone. */
  readonly clientIds: readonly string[];
}

/** The grant as it may be shown: no token in it. */
export function statusOf(appId: string, openId: string, { marks, now, stored }: GrantView): GrantStatus {
  if (stored === null) {
    return {
      status: marks.status ?? 'none',
      appId,
      openId,
      scopes: [],
      expiresAt: null,
      refreshExpiresAt: null,
      authorizedAt: null,
      renewable: false,
      clientIds: marks.clientIds,
      detail: marks.detail,
    };
  }
  const { tokens, authorizedAt, clientIds } = stored.grant;
  const isOver = tokens.refreshToken === null && tokens.expiresAt <= now;
  const status: GrantState = marks.status ?? (isOver ? 'reauthorization_required' : 'active');
  return {
    status,
    appId,
    openId,
    scopes: tokens.scopes,
    expiresAt: tokens.expiresAt,
    refreshExpiresAt: tokens.refreshExpiresAt,
    authorizedAt,
    renewable: tokens.refreshToken !== null,
    clientIds,
    detail: marks.detail,
  };
}

/** A grant as it may be handed out, as of one moment of Redis's clock. */
export interface GrantReading {
  readonly now: number;
  readonly grant: GrantStatus;
  /** Tells one token set from its successor; 0: there is none. */
  readonly generation: number;
  /** The newest first; behind it one of an earlier consent that may do more. Also ended ones. */
  readonly tokens: readonly AccessToken[];
}

/** What came of a refresh that a caller has waited for. */
export interface RenewedReading extends GrantReading {
  /** Why there is nothing newer, though the grant is safe; null: there is, or the grant is over. */
  readonly kept: {
    readonly retryAfterMs: number;
    readonly detail: FailureDetail | null;
    /** Somebody must act before it can work. */
    readonly operator: boolean;
    /** Feishu was asked, and has refused or not answered. */
    readonly asked: boolean;
  } | null;
}
