/** What a client asks for and what it is told (CONTRACT §5, `POST /v1/sessions`). */
import type { GrantStatus } from './grant.js';
import type { Session } from './session.js';

export interface AskRequest {
  readonly clientId: string;
  readonly appId: string;
  readonly openId: string;
  /** What the client wants, `offline_access` included; at most 50. */
  readonly scopes: readonly string[];
  readonly reason: string | null;
  readonly chatId: string | null;
  readonly ttlSeconds: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** Ask although a live grant covers the scopes. */
  readonly force: boolean;
  /** The Idempotency-Key and a digest of the body it came with. */
  readonly idempotency: { readonly key: string; readonly bodyDigest: string } | null;
}

/** `created`: a new session and a new card. `live`: the session that already asks for all of it. */
export type AskResult =
  | { readonly kind: 'created' | 'live'; readonly session: Session }
  | { readonly kind: 'already_authorized'; readonly grant: GrantStatus };
