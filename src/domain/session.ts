/**
 * A session: one attempt of one user to authorize one app for one client (CONTRACT §3). Pure: shapes, states and
 * legal moves. The store makes each move in one atomic step; this module says which moves exist.
 */
import type { CardKind } from '../config/config.js';

export const SESSION_STATES = [
  'pending',
  'authorizing',
  'completed',
  'rejected',
  'expired',
  'failed',
  'superseded',
  'invalidated',
] as const;
export type SessionState = (typeof SESSION_STATES)[number];

export const FAILURE_REASONS = [
  'identity_mismatch',
  'insufficient_scope',
  'app_misconfigured',
  'code_expired',
  'user_unreachable',
  'upstream_error',
  'internal_error',
] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** Why a session failed, for whoever can act on it. Never holds anything secret. */
export interface FailureDetail {
  readonly feishu_code?: number;
  readonly log_id?: string;
  readonly remedy: string;
  readonly for: 'user' | 'operator' | 'developer';
}

interface LinkLife {
  /** 1, 2, 3 … within the session. */
  readonly number: number;
  /** Milliseconds since the epoch, by Redis's clock. */
  readonly expiresAt: number;
}

/** A link of the device grant (RFC 8628 §3.2). */
export interface DeviceLink extends LinkLife {
  readonly grant: 'device_code';
  /** Secret: only the token endpoint may see it. */
  readonly deviceCode: string;
  readonly userCode: string;
  /** The page without the code, for people who type. */
  readonly verificationUri: string;
  /** The page with the code, exactly as Feishu gave it. */
  readonly verificationUriComplete: string;
  /** How long it lived when it was made. */
  readonly lifeSeconds: number;
  /** Seconds between two polls (RFC 8628 §3.2), grown by slow_down. */
  readonly intervalSeconds: number;
}

/**
 * A link of the authorization code grant (RFC 6749 §4.1). Its address is not kept: it follows from the session and the
 * keyring (oauth/consent-links.ts), and lives as long as the session.
 */
export interface CodeLink extends LinkLife {
  readonly grant: 'authorization_code';
  /** What the redirect has brought, until the token endpoint has judged it; null: nothing yet. */
  readonly received: ReceivedCode | null;
}

export interface ReceivedCode {
  /** Secret; works once, for 5 minutes. */
  readonly code: string;
  /** Secret (RFC 7636 §4.1). */
  readonly codeVerifier: string;
  /** Byte for byte as in the authorization request. */
  readonly redirectUri: string;
  /** Milliseconds since the epoch, by Redis's clock: the store tells it. */
  readonly receivedAt: number;
}

/** How long Feishu takes a code (FEISHU.md §6.1). */
export const CODE_LIFE_MS = 300_000;

/** A consent link as stored (sealed at rest). */
export type ConsentLink = DeviceLink | CodeLink;

/**
 * - `none`: no link was asked for yet
 * - `claimed`: somebody asked, it is being made
 * - `live`: it can be used
 * - `dead`: it ended without consent (expired); the card offers a new one
 * - `settling`: Feishu has given tokens for it; who consented is being verified. Expiry can no longer win
 * - `wrong_account`: another account consented; the card offers a new one
 */
export const LINK_STATES = ['none', 'claimed', 'live', 'dead', 'settling', 'wrong_account'] as const;
export type LinkState = (typeof LINK_STATES)[number];

/** A session as the store gives it. Times are milliseconds since the epoch. */
export interface Session {
  readonly sessionId: string;
  readonly appId: string;
  readonly clientId: string;
  readonly openId: string;
  readonly state: SessionState;
  readonly scopes: readonly string[];
  readonly grantedScopes: readonly string[];
  readonly missingScopes: readonly string[];
  readonly reason: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly chatId: string | null;
  readonly messageId: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly endedAt: number | null;
  readonly failureReason: FailureReason | null;
  readonly failureDetail: FailureDetail | null;
  readonly nextSessionId: string | null;
  readonly linkState: LinkState;
  readonly linkNumber: number;
  readonly link: ConsentLink | null;
  /** Why the last code that came back by the link was of no use; the link still is. */
  readonly codeFailure: FailureDetail | null;
  /** How often another account has consented. */
  readonly mismatches: number;
  /** How often its card was replaced because the message was recalled or deleted. */
  readonly cards: number;
  /** How its user is asked, as it was when the first message went out: a change of the setting is for later ones. */
  readonly shownAs: CardKind;
  /** Id of the last news that was told (news.ts); null: none, or it is shown as a card. */
  readonly said: string | null;
  /** Grows with every change that a card shows. */
  readonly version: number;
  /** The version the message is known to show; lower than `version`: the card is behind. */
  readonly shownVersion: number;
}

const LIVE: ReadonlySet<SessionState> = new Set(['pending', 'authorizing']);

/** Whether the session may still change. */
export const isLive = (state: SessionState): boolean => LIVE.has(state);

/** How many wrong accounts end a session (CONTRACT §3). */
export const MAX_MISMATCHES = 3;

/** The number of the link the session has now, or of the one it will have when she asks. */
export const currentLinkNumber = (session: Pick<Session, 'linkState' | 'linkNumber'>): number =>
  HAS_LINK.has(session.linkState) ? session.linkNumber : session.linkNumber + 1;

const HAS_LINK: ReadonlySet<LinkState> = new Set(['claimed', 'live', 'settling']);
