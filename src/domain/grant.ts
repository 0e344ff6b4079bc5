/** A grant: what a user has given us for an app, as far as it may be shown (no token in it). Times in milliseconds. */

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
