/** A grant: what a user has given us for an app, as far as it may be shown (no token in it). Times in milliseconds. */
import type { FailureDetail } from './session.js';

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
