/**
 * The authorization code grant's way back: what the user's browser brings to the redirect URI, and what the page
 * there tells her (RFC 6749 §4.1.2, FEISHU.md §6.1). Outcomes are values; none holds a code, a state or a token.
 */
import type { LocalizedText } from '../config/config.js';
import type { FailureDetail, FailureReason } from './session.js';

/** The query as it came; `null`: not there. Not trusted. */
export interface RedirectQuery {
  /** Secret: works once. */
  readonly code: string | null;
  /** Signed; whoever has it may end the session by refusing. */
  readonly state: string | null;
  readonly error: string | null;
}

/** Who asks, for pages about a session that is known to be hers. */
export interface RedirectNames {
  readonly client: LocalizedText;
  readonly app: string;
}

/**
 * About a session whose state was valid:
 * - `completed`, `missing_scopes`, `wrong_account`, `failed`, `declined`, `expired`, `superseded`, `invalidated`: as
 *   the session stands now
 * - `working`: Feishu has not answered yet; the same address shows the result soon
 * - `try_again`: this code was of no use, or was not tried after many that were of none; the link still works
 * - `refused`: Feishu's page reported an error; nothing has changed
 * - `used`: the link has brought an authorization already, be it one that came to nothing, or was replaced
 *
 * About nobody: `invalid` (forged, foreign, damaged, or signed with a key that is gone), `incomplete` (no code, no
 * error, no state), `unavailable` (Redis does not answer; the same address works later).
 */
export type RedirectOutcome =
  | { readonly kind: 'completed'; readonly names: RedirectNames }
  | { readonly kind: 'missing_scopes'; readonly names: RedirectNames; readonly missing: readonly string[] }
  | { readonly kind: 'wrong_account'; readonly names: RedirectNames; readonly triesLeft: number }
  | {
      readonly kind: 'failed';
      readonly names: RedirectNames;
      readonly reason: FailureReason;
      readonly detail: FailureDetail | null;
    }
  | { readonly kind: 'try_again' | 'refused'; readonly names: RedirectNames; readonly detail: FailureDetail | null }
  | {
      readonly kind: 'declined' | 'expired' | 'superseded' | 'invalidated' | 'working' | 'used';
      readonly names: RedirectNames;
    }
  | { readonly kind: 'invalid' | 'incomplete' | 'unavailable' };

/**
 * Judges what the browser brought and waits for the result as long as a page may load. Never rejects, and a repeat
 * of the same query changes nothing.
 */
export type ReceiveRedirect = (query: RedirectQuery) => Promise<RedirectOutcome>;
