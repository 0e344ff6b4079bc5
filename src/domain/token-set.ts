/** What the token endpoint gives for a consent, with absolute times (milliseconds since the epoch). */
export interface TokenSet {
  readonly accessToken: string;
  readonly expiresAt: number;
  /** Life of the access token in seconds when it was given. */
  readonly expiresIn: number;
  /** Absent: this grant cannot be renewed (no `offline_access`, or refresh is off in the console). */
  readonly refreshToken: string | null;
  readonly refreshExpiresAt: number | null;
  readonly tokenType: string;
  /** What was really granted, as the answer says it. */
  readonly scopes: readonly string[];
}
