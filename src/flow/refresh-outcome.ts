/**
 * What the answer to a refresh does to the grant: the successor is kept, a final word ends it, everything else leaves it
 * as it is and says when to try again. Each case is one step in the store.
 */

import type { Logger } from 'pino';
import { type BackoffPolicy, backoffDelayMs } from '../domain/backoff.js';
import type { Grant, GrantMarks, StoredGrant } from '../domain/grant.js';
import type { Metrics } from '../domain/metrics.js';
import { firstDueAt, type RefreshPolicy } from '../domain/refresh-plan.js';
import type { FailureDetail } from '../domain/session.js';
import type { TokenSet } from '../domain/token-set.js';
import type { RefreshAnswer } from '../oauth/refresh-answer.js';
import type { GrantVault } from '../store/grant-vault.js';
import type { GrantRef, RefreshStore } from '../store/refresh-store.js';
import type { Discard } from './discard.js';
import type { GrantEnds } from './grant-ends.js';
import type { Successors } from './successors.js';

/**
 * - `fresh`: a token set newer than the one the caller has seen; `now` by Redis's clock, milliseconds
 * - `over`: there is nothing to refresh (any more)
 * - `kept`: not now; the grant is safe. `detail`: what Feishu said; `operator`: somebody must act
 */
export type RefreshOutcome =
  | { readonly kind: 'fresh'; readonly stored: StoredGrant; readonly now: number }
  | { readonly kind: 'over' }
  | {
      readonly kind: 'kept';
      readonly retryAfterMs: number;
      readonly detail: FailureDetail | null;
      readonly operator: boolean;
      /** Whether Feishu was asked by this try. */
      readonly asked: boolean;
    };

/** A try of this process at one generation of a grant. */
export interface Tried {
  readonly ref: GrantRef;
  readonly grant: Grant;
  readonly marks: GrantMarks;
  /** Redis's clock, milliseconds. */
  readonly now: () => number;
  /** Who may have sent this refresh token before, nobody knowing the outcome. */
  readonly sentBefore: string | null;
  /** This process has sent it without learning what came of it. */
  readonly ownUnknown?: boolean;
}

export interface Conclude {
  answer(tried: Tried, answer: RefreshAnswer): Promise<RefreshOutcome>;
  /** Nobody has brought the successor that was waited for. */
  lost(tried: Tried): Promise<RefreshOutcome>;
}

export interface ConcludeDeps {
  readonly vault: Pick<GrantVault, 'look'>;
  readonly store: Pick<RefreshStore, 'keep' | 'owner'>;
  readonly successors: Pick<Successors, 'keep'>;
  readonly ends: GrantEnds;
  readonly discard: Discard;
  readonly metrics: Pick<Metrics, 'tokenRefreshed'>;
  readonly policy: RefreshPolicy;
  readonly random: () => number;
  readonly logger: Logger;
}

const TRANSIENT: BackoffPolicy = { baseMs: 2_000, maxMs: 60_000 };
const SUSPENDED: BackoffPolicy = { baseMs: 10_000, maxMs: 300_000 };
const HALT: BackoffPolicy = { baseMs: 6_000, maxMs: 6_000 };
const LOOK_AGAIN_MS = 1_000;
/** How long to wait for a successor that a process which may have sent the token might still bring. */
const AWAIT_MS = { known: 15_000, unknown: 8_000 } as const;

/** The grant is safe; nothing newer now. */
export const notNow = (
  retryAfterMs: number,
  more: { readonly detail?: FailureDetail | null; readonly operator?: boolean; readonly asked?: boolean } = {},
): RefreshOutcome => ({
  kind: 'kept',
  retryAfterMs,
  detail: more.detail ?? null,
  operator: more.operator ?? false,
  asked: more.asked ?? false,
});

export function createConclude(deps: ConcludeDeps): Conclude {
  const { ends, logger, metrics, store, successors } = deps;

  const conclude = async (tried: Tried, answer: RefreshAnswer): Promise<RefreshOutcome> => {
    const { grant, ownUnknown = false, ref, sentBefore } = tried;
    const isForeign = sentBefore !== null && sentBefore !== store.owner;
    switch (answer.kind) {
      case 'tokens':
        return await succeed(tried, answer.tokenSet);
      case 'unsent':
      case 'refused':
        // An earlier try whose outcome nobody knows is as open as it was.
        return await tryLater(tried, answer, isForeign || ownUnknown);
      case 'unknown':
        return await tryLater(tried, { kind: answer.kind, detail: answer.detail, retryAfterMs: null }, true);
      case 'operator':
        return await suspend(tried, answer, isForeign || ownUnknown);
      case 'left':
        if ((await ends.left(ref, grant, answer.detail)) === 'ended') metrics.tokenRefreshed(ref.appId, 'ended');
        return { kind: 'over' };
      case 'used':
      case 'dead': {
        const mayBeHeld = isForeign || (answer.kind === 'used' && !ownUnknown);
        return mayBeHeld
          ? await awaitSuccessor(ref, answer.detail, isForeign)
          : await over(tried, answer.detail, ownUnknown);
      }
    }
  };

  const tryLater = async ({ marks, ref }: Tried, answer: NotNowAnswer, unknown: boolean): Promise<RefreshOutcome> => {
    const { detail } = answer;
    const backoff = backoffDelayMs(marks.failures + 1, TRANSIENT, deps.random);
    const delayMs = Math.max(backoff, answer.retryAfterMs ?? 0);
    if ((await store.keep(ref, { delayMs, detail, suspended: false, unknown })) === null) return await present(ref);
    const fields = {
      event: 'token.refresh_failed',
      ...wordsOf(ref, detail),
      result: answer.kind,
      retry_in_ms: delayMs,
    };
    // No turn in the budget is the way a crowd is made to wait, and no trouble.
    const isTrouble = answer.kind !== 'unsent' || answer.retryAfterMs === null;
    const level = isTrouble ? 'warn' : 'debug';
    logger[level](fields, 'A token could not be refreshed now; the grant is kept and it is tried again');
    if (isTrouble) metrics.tokenRefreshed(ref.appId, 'retry');
    return notNow(delayMs, { detail, asked: answer.kind !== 'unsent' });
  };

  const succeed = async ({ grant: before, now, ref }: Tried, fresh: TokenSet): Promise<RefreshOutcome> => {
    const tokens: TokenSet = {
      ...fresh,
      // FEISHU.md §6.2: left out or empty, the old ones stand.
      refreshToken: fresh.refreshToken ?? before.tokens.refreshToken,
      refreshExpiresAt: fresh.refreshExpiresAt ?? before.tokens.refreshExpiresAt,
    };
    const { wider, ...same } = before;
    const grant: Grant = { ...same, tokens, ...(wider !== undefined && wider.expiresAt > now() && { wider }) };
    const dueAt = firstDueAt(grant.tokens, deps.policy, deps.random);
    const generation = Math.max(now(), ref.generation + 1);
    const next = { generation, grant, dueAt };
    const verdict = await successors.keep(ref, next);
    if (verdict === 'dropped') {
      const outcome = await present(ref);
      logger.info(
        { event: 'token.discarded', app_id: ref.appId, open_id: ref.openId },
        'The grant was replaced or forgotten during its refresh; what the refresh brought is dropped',
      );
      // Replaced: at Feishu both belong to one grant of the user, which must not be revoked.
      if (outcome.kind === 'over') deps.discard(ref.appId, ref.openId, { tokens });
      return outcome;
    }
    logger.info(
      {
        event: 'token.refreshed',
        app_id: ref.appId,
        open_id: ref.openId,
        expires_at: new Date(tokens.expiresAt).toISOString(),
        due_at: dueAt === null ? null : new Date(dueAt).toISOString(),
        kept: verdict,
      },
      'An access token was refreshed',
    );
    metrics.tokenRefreshed(ref.appId, 'success');
    return { kind: 'fresh', stored: next, now: now() };
  };

  const suspend = async (
    { marks, ref }: Tried,
    { detail, wholeApp }: Extract<RefreshAnswer, { kind: 'operator' }>,
    unknown: boolean,
  ): Promise<RefreshOutcome> => {
    const delayMs = backoffDelayMs(marks.failures + 1, wholeApp ? HALT : SUSPENDED, deps.random);
    const haltMs = wholeApp ? delayMs : 0;
    const halts = await store.keep(ref, { delayMs, detail, suspended: true, unknown, haltMs });
    if (halts === null) return await present(ref);
    const event = wholeApp ? 'token.refresh_halted' : 'grant.suspended';
    const fields = { event, ...wordsOf(ref, detail), retry_in_ms: delayMs };
    if (!wholeApp) logger.error(fields, `Feishu does not refresh this grant; it is kept: ${detail.remedy}`);
    else if (halts !== 1) logger.debug(fields, 'Still no token of this app can be refreshed');
    else logger.error(fields, `No token of this app can be refreshed; all grants are kept: ${detail.remedy}`);
    metrics.tokenRefreshed(ref.appId, 'suspended');
    return notNow(delayMs, { detail, operator: true, asked: true });
  };

  const awaitSuccessor = async (ref: GrantRef, detail: FailureDetail, isForeign: boolean): Promise<RefreshOutcome> => {
    const awaitMs = isForeign ? AWAIT_MS.known : AWAIT_MS.unknown;
    const kept = await store.keep(ref, { delayMs: awaitMs, detail, suspended: false, unknown: isForeign, awaitMs });
    if (kept === null) return await present(ref);
    logger.warn(
      { event: 'token.successor_awaited', ...wordsOf(ref, detail), wait_ms: awaitMs },
      'The refresh token was used before: somebody may hold its successor, which is waited for',
    );
    metrics.tokenRefreshed(ref.appId, 'retry');
    return notNow(awaitMs, { detail, asked: true });
  };

  const over = async ({ grant, ref }: Tried, detail: FailureDetail, explained: boolean): Promise<RefreshOutcome> => {
    // Feishu may have told of a withdrawal while the refresh was under way.
    const { marks } = await deps.vault.look(ref.appId, ref.openId);
    const verdict =
      marks.suspectAt !== null
        ? await ends.withdrawn(ref, grant, detail)
        : await ends.dead(ref, grant, detail, explained);
    if (verdict !== 'changed') metrics.tokenRefreshed(ref.appId, verdict === 'ended' ? 'ended' : 'suspended');
    if (verdict === 'braked') return notNow(SUSPENDED.maxMs, { detail, operator: true, asked: true });
    return verdict === 'ended' ? { kind: 'over' } : await present(ref);
  };

  /** Somebody has changed the grant meanwhile: what is there now. */
  const present = async ({ appId, generation, openId }: GrantRef): Promise<RefreshOutcome> => {
    const { now, stored } = await deps.vault.look(appId, openId);
    if (stored === null) return { kind: 'over' };
    // Older only after Redis has lost something, which is about to be handed to it again.
    return stored.generation > generation ? { kind: 'fresh', stored, now } : notNow(LOOK_AGAIN_MS);
  };

  return {
    answer: conclude,
    lost: (tried) => over(tried, tried.marks.detail ?? LOST, tried.sentBefore !== null),
  };
}

interface NotNowAnswer {
  readonly kind: 'unsent' | 'refused' | 'unknown';
  readonly retryAfterMs: number | null;
  readonly detail: FailureDetail;
}

/** What a line about a refusal says. */
const wordsOf = ({ appId, openId }: GrantRef, detail: FailureDetail) => ({
  app_id: appId,
  open_id: openId,
  feishu_code: detail.feishu_code,
  log_id: detail.log_id,
});

const LOST: FailureDetail = {
  remedy:
    'The refresh token was used, and its successor was lost with the process that had it. The user is asked again.',
  for: 'user',
};
