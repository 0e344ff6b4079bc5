/**
 * When a grant is refreshed next, or its user asked again (ARCHITECTURE invariant 5). Pure. Times are milliseconds of
 * Redis's clock. The plan only says when to try: that a grant is dead says Feishu alone.
 *
 * Used grants are renewed before their access token ends; idle ones only before their refresh token does, so that the
 * calls grow with use and not with users.
 */
import { isDaytime, nextDaytime } from './daytime.js';
import type { TokenSet } from './token-set.js';

export interface RefreshPolicy {
  readonly mode: 'adaptive' | 'always';
  /** 0..1: this part of the access token's life is left when it is renewed. */
  readonly threshold: number;
  /** A grant that nobody has used for so long is not kept alive any more. */
  readonly maxIdleMs: number;
  /** IANA name: nobody is asked at night. */
  readonly timezone: string;
}

/** What of a token set decides about its refresh. */
export type PlannedTokens = Pick<TokenSet, 'expiresAt' | 'expiresIn' | 'refreshToken' | 'refreshExpiresAt'>;

export interface PlannedGrant {
  readonly tokens: PlannedTokens;
  readonly authorizedAt: number;
  /** When a client last read a token; null: never since the consent. */
  readonly usedAt: number | null;
  /** Tries since the last success. */
  readonly failures: number;
  /** Not to be tried before. */
  readonly retryAt: number | null;
  /** When the user was last asked again. */
  readonly askedAt: number | null;
}

export interface RefreshPlan {
  readonly refresh: boolean;
  /** Ask the user to consent again, before the grant ends. */
  readonly ask: boolean;
  /** When to look again; null: never, nobody uses it. */
  readonly nextAt: number | null;
}

const SECOND_MS = 1_000;
const DAY_MS = 86_400 * SECOND_MS;
/** Refreshing ends so long after the consent (FEISHU.md §6.2). */
export const CONSENT_LIFE_MS = 365 * DAY_MS;
/** Users are asked for a new consent from so long before that on. */
const ASK_LEAD_MS = 7 * DAY_MS;
const ASK_EVERY_MS = DAY_MS;
/** Not more often than this, however short tokens live, unless the refresh token itself would die. */
const SHORTEST_PACE_MS = 30 * SECOND_MS;
/** Where Feishu names none (FEISHU.md §6.2: the sample). */
const DEFAULT_REFRESH_LIFE_MS = 7 * DAY_MS;
/** An idle grant's refresh token is renewed when this part of its life is over, at the latest. */
const IDLE_PART = 0.5;
/** So much of the wait is random, so that what began together does not stay together. */
const JITTER = 0.1;
/** A grant whose refreshes keep failing: the user is asked when this is left of the refresh token. */
const LAST_CALL_MS = DAY_MS;
const FAILURES_BEFORE_LAST_CALL = 3;

const issuedAt = ({ expiresAt, expiresIn }: PlannedTokens): number => expiresAt - expiresIn * SECOND_MS;

function refreshLifeMs(tokens: PlannedTokens): number {
  const { refreshExpiresAt } = tokens;
  return refreshExpiresAt === null ? DEFAULT_REFRESH_LIFE_MS : Math.max(SECOND_MS, refreshExpiresAt - issuedAt(tokens));
}

/** When a grant ends unless it is renewed or given again. */
export function grantEndsAt({ authorizedAt, tokens }: Pick<PlannedGrant, 'tokens' | 'authorizedAt'>): number {
  if (tokens.refreshToken === null) return tokens.expiresAt;
  return Math.min(issuedAt(tokens) + refreshLifeMs(tokens), authorizedAt + CONSENT_LIFE_MS);
}

/** When tokens that are used are due. */
export function dueWhenUsed(tokens: PlannedTokens, policy: RefreshPolicy, random: () => number): number {
  const life = tokens.expiresIn * SECOND_MS;
  const wanted = life * (1 - policy.threshold * (1 + JITTER * (random() - 0.5)));
  return Math.min(Math.round(issuedAt(tokens) + Math.max(wanted, SHORTEST_PACE_MS)), dueWhenIdle(tokens, random));
}

const dueWhenIdle = (tokens: PlannedTokens, random: () => number): number =>
  Math.round(issuedAt(tokens) + refreshLifeMs(tokens) * IDLE_PART * (1 - JITTER * random()));

/** When a fresh token set is looked at first. Null: it can not be renewed. */
export function firstDueAt(tokens: PlannedTokens, policy: RefreshPolicy, random: () => number): number | null {
  if (tokens.refreshToken === null) return null;
  return policy.mode === 'always' ? dueWhenUsed(tokens, policy, random) : dueWhenIdle(tokens, random);
}

/** What is to be done now. */
export function planRefresh(
  grant: PlannedGrant,
  policy: RefreshPolicy,
  now: number,
  random: () => number,
): RefreshPlan {
  if (grant.tokens.refreshToken === null) return { refresh: false, ask: false, nextAt: null };
  const lastActive = Math.max(grant.usedAt ?? 0, grant.authorizedAt);
  if (now - lastActive > policy.maxIdleMs) return { refresh: false, ask: false, nextAt: null };
  const asking = planAsking(grant, policy, now);
  const isUsed = policy.mode === 'always' || (grant.usedAt !== null && grant.usedAt >= issuedAt(grant.tokens));
  const dueAt = isUsed ? dueWhenUsed(grant.tokens, policy, random) : dueWhenIdle(grant.tokens, random);
  const tryAt = Math.max(dueAt, grant.retryAt ?? 0);
  // Drawn anew each time, the jitter must not push a grant that was called due into the future again.
  const refresh = tryAt <= now + refreshLifeMs(grant.tokens) * 0.001 + SECOND_MS;
  const nextAt = asking.nextAt === null ? tryAt : Math.min(tryAt, asking.nextAt);
  return { refresh, ask: asking.ask, nextAt: Math.max(nextAt, now + SECOND_MS) };
}

/** Asking in good time: in the last week of a consent, or when a refresh token is about to die of failures. */
function planAsking(grant: PlannedGrant, policy: RefreshPolicy, now: number): { ask: boolean; nextAt: number | null } {
  if (grant.usedAt === null) return { ask: false, nextAt: null };
  const consentEnd = grant.authorizedAt + CONSENT_LIFE_MS - ASK_LEAD_MS;
  const isFailing = grant.failures >= FAILURES_BEFORE_LAST_CALL;
  const lifeEnd = grant.tokens.refreshExpiresAt;
  const lastCall =
    isFailing && lifeEnd !== null
      ? lifeEnd - Math.min(LAST_CALL_MS, refreshLifeMs(grant.tokens) / 4)
      : Number.POSITIVE_INFINITY;
  const from = Math.max(Math.min(consentEnd, lastCall), (grant.askedAt ?? 0) + ASK_EVERY_MS);
  if (from > now) return { ask: false, nextAt: from };
  if (isDaytime(now, policy.timezone)) return { ask: true, nextAt: now + ASK_EVERY_MS };
  return { ask: false, nextAt: nextDaytime(now, policy.timezone) };
}
