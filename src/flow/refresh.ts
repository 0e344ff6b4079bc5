/**
 * The refresh engine (ARCHITECTURE invariant 3): any number of callers in any number of processes, one call to Feishu.
 * Within a process callers share a try; between processes the lease in Redis decides, and whoever has not got it waits
 * for the other's result. No lease, no call. What the call brings is kept before anything else; what it may have cost is
 * known from the intent that was written before it. Owns the order of these steps; the store owns each of them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { AppConfig } from '../config/config.js';
import { type BackoffPolicy, backoffDelayMs } from '../domain/backoff.js';
import { firstDueAt, type RefreshPolicy } from '../domain/refresh-plan.js';
import type { FailureDetail } from '../domain/session.js';
import type { TokenSet } from '../domain/token-set.js';
import type { RefreshAnswer } from '../oauth/refresh-answer.js';
import type { TokenEndpoint } from '../oauth/token-endpoint.js';
import type { Changes } from '../store/changes.js';
import type { Grant, GrantVault, GrantView, StoredGrant } from '../store/grant-vault.js';
import type { GrantRef, RefreshStore } from '../store/refresh-store.js';
import type { Spool } from '../store/spool.js';
import type { GrantEnds } from './grant-ends.js';
import type { Successors } from './successors.js';

/**
 * - `fresh`: a token set newer than the one the caller has seen
 * - `over`: there is nothing to refresh (any more)
 * - `kept`: not now; the grant is safe. `detail`: what Feishu said; `operator`: somebody must act
 */
export type RefreshOutcome =
  | { readonly kind: 'fresh'; readonly stored: StoredGrant }
  | { readonly kind: 'over' }
  | {
      readonly kind: 'kept';
      readonly retryAfterMs: number;
      readonly detail: FailureDetail | null;
      readonly operator: boolean;
      /** Whether Feishu was asked by this try. */
      readonly asked: boolean;
    };

export interface RefreshRequest {
  readonly appId: string;
  readonly openId: string;
  /** The generation the caller finds stale; a newer one is fresh. */
  readonly seen: number;
  /** Also before its time, or while the app is halted: an operator or client wants to see now. */
  readonly force: boolean;
}

export interface Refresh {
  run(request: RefreshRequest): Promise<RefreshOutcome>;
  /** Resolves when every refresh under way has been carried through. */
  settled(): Promise<void>;
}

export interface RefreshDeps {
  readonly vault: Pick<GrantVault, 'look'>;
  readonly store: RefreshStore;
  readonly spool: Pick<Spool, 'holdsGrant'>;
  /** Hands spooled entries to the store now. */
  readonly drainSpool: () => Promise<void>;
  readonly successors: Successors;
  readonly ends: GrantEnds;
  readonly changes: Pick<Changes, 'wait'>;
  readonly tokenEndpoint: Pick<TokenEndpoint, 'refresh'>;
  readonly app: (appId: string) => AppConfig | undefined;
  readonly policy: RefreshPolicy;
  /** Longest time the request may take: a stop of the process waits for it. */
  readonly timeoutMs: number;
  readonly random: () => number;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonic: () => number;
  readonly logger: Logger;
}

/** Beside the request itself: writing what it brought. */
const AROUND_REQUEST_MS = 5_000;
/** The shortest time in which an answer may come; less lease than that and the request stays here. */
const MARGIN_MS = 500;
/** For its turn in the budget. */
const MAX_WAIT_MS = 3_000;
/** Between an unknown outcome and the one repeat. */
const REPEAT_AFTER_MS = 500;
/** Longest wait for somebody else's refresh; the caller's own limit is shorter. */
const OTHERS_MS = 30_000;
const LOOK_EVERY_MS = 1_000;
const TRANSIENT: BackoffPolicy = { baseMs: 2_000, maxMs: 60_000 };
const SUSPENDED: BackoffPolicy = { baseMs: 10_000, maxMs: 300_000 };
const HALT: BackoffPolicy = { baseMs: 6_000, maxMs: 30_000 };
/** How long to wait for a successor that a process which may have sent the token might still bring. */
const AWAIT_MS = { known: 15_000, unknown: 8_000 } as const;

export function createRefresh(deps: RefreshDeps): Refresh {
  const { ends, logger, store, successors } = deps;
  const inHand = new Map<string, { readonly force: boolean; readonly result: Promise<RefreshOutcome> }>();
  const leaseMs = deps.timeoutMs + MAX_WAIT_MS + AROUND_REQUEST_MS;
  const idsOf = ({ appId, openId }: GrantRef) => ({ app_id: appId, open_id: openId });
  const kept = (
    retryAfterMs: number,
    detail: FailureDetail | null,
    more: { operator?: boolean; asked?: boolean } = {},
  ) => ({ kind: 'kept', retryAfterMs, detail, operator: more.operator ?? false, asked: more.asked ?? false }) as const;

  /** One try of this process, from reading the grant to its end. */
  const attempt = async ({ appId, force, openId, seen }: RefreshRequest): Promise<RefreshOutcome> => {
    const deadline = deps.monotonic() + OTHERS_MS;
    for (;;) {
      const unsaved = successors.unsaved(appId, openId);
      if (unsaved !== null && unsaved.generation > seen) return { kind: 'fresh', stored: unsaved };
      if (deps.spool.holdsGrant(appId, openId)) await deps.drainSpool();
      const view = await deps.vault.look(appId, openId);
      const { stored } = view;
      if (stored === null) return { kind: 'over' };
      if (stored.generation > seen) return { kind: 'fresh', stored };
      if (stored.grant.tokens.refreshToken === null) return { kind: 'over' };
      const ref = { appId, openId, generation: stored.generation };
      const waitsSince = deps.monotonic();
      const begun = await store.begin(ref, leaseMs, force);
      switch (begun.kind) {
        case 'go':
          return await redeem(ref, stored.grant, view, begun.sentBefore, waitsSince);
        case 'lost':
          return await lost(ref, stored.grant, view, begun.sentBefore);
        case 'busy': {
          const left = deadline - deps.monotonic();
          if (left <= 0) return kept(LOOK_EVERY_MS, null);
          await deps.changes.wait(`grant:${openId}`, Math.min(left, begun.ms + 1, LOOK_EVERY_MS)).promise;
          break;
        }
        case 'later':
        case 'halted':
          return kept(begun.ms, begun.detail, {
            operator: view.marks.status === 'suspended' || begun.kind === 'halted',
          });
        case 'await':
          return kept(begun.ms, null);
        case 'gone':
        case 'ended':
          return { kind: 'over' };
        case 'changed':
          break;
      }
    }
  };

  /** The lease is ours: asks Feishu, once more when nobody knows what came of the first time. */
  const redeem = async (
    ref: GrantRef,
    grant: Grant,
    view: GrantView,
    sentBefore: string | null,
    since: number,
  ): Promise<RefreshOutcome> => {
    const app = deps.app(ref.appId);
    if (app === undefined) return kept(SUSPENDED.baseMs, null);
    let leaseEnds = since + leaseMs;
    let ownUnknown = sentBefore === store.owner;
    for (let again = false; ; again = true) {
      const answer = await deps.tokenEndpoint.refresh({
        app,
        refreshToken: grant.tokens.refreshToken ?? '',
        scopes: grant.tokens.scopes,
        timeoutMs: deps.timeoutMs,
        maxWaitMs: MAX_WAIT_MS,
        mayStillSend: () => leaseEnds - deps.monotonic() > deps.timeoutMs + MARGIN_MS,
        now: () => view.now + Math.round(deps.monotonic() - since),
      });
      if (answer.kind !== 'unknown' || again)
        return await conclude(ref, grant, view, answer, { sentBefore, ownUnknown });
      ownUnknown = true;
      logger.warn(
        { event: 'token.refresh_unknown', ...idsOf(ref), log_id: answer.detail.log_id },
        'No answer to a refresh: Feishu may have taken the token. It is sent once more',
      );
      await sleep(REPEAT_AFTER_MS);
      const renewedAt = deps.monotonic();
      // Somebody else's by now, or replaced by a new consent: whoever has it goes on.
      if (!(await store.renew(ref, leaseMs))) return kept(LOOK_EVERY_MS, answer.detail, { asked: true });
      leaseEnds = renewedAt + leaseMs;
    }
  };

  const conclude = async (
    ref: GrantRef,
    grant: Grant,
    view: GrantView,
    answer: RefreshAnswer,
    sent: { readonly sentBefore: string | null; readonly ownUnknown: boolean },
  ): Promise<RefreshOutcome> => {
    const { failures, isSuspect } = view.marks;
    const isForeign = sent.sentBefore !== null && sent.sentBefore !== store.owner;
    switch (answer.kind) {
      case 'tokens':
        return await succeed(ref, grant, view, answer.tokenSet);
      case 'unsent':
      case 'refused': {
        const delayMs = Math.max(answer.retryAfterMs ?? 0, backoffDelayMs(failures + 1, TRANSIENT, deps.random));
        // An earlier intent of somebody else is as open as it was.
        await store.keep(ref, {
          delayMs,
          detail: answer.detail,
          suspended: false,
          unknown: isForeign || sent.ownUnknown,
        });
        sayKept(ref, answer, delayMs);
        return kept(delayMs, answer.detail, { asked: answer.kind === 'refused' });
      }
      case 'unknown': {
        const delayMs = backoffDelayMs(failures + 1, TRANSIENT, deps.random);
        await store.keep(ref, { delayMs, detail: answer.detail, suspended: false, unknown: true });
        sayKept(ref, answer, delayMs);
        return kept(delayMs, answer.detail, { asked: true });
      }
      case 'operator':
        return await suspend(ref, answer, failures, isForeign || sent.ownUnknown);
      case 'left':
        await ends.left(ref, grant, answer.detail);
        return { kind: 'over' };
      case 'used':
      case 'dead': {
        const mayBeHeld = isForeign || (answer.kind === 'used' && !sent.ownUnknown);
        if (!mayBeHeld) return await over(ref, grant, answer.detail, { explained: sent.ownUnknown, isSuspect });
        const awaitMs = isForeign ? AWAIT_MS.known : AWAIT_MS.unknown;
        await store.keep(ref, {
          delayMs: awaitMs,
          detail: answer.detail,
          suspended: false,
          unknown: isForeign,
          awaitMs,
        });
        const fields = { event: 'token.successor_awaited', ...idsOf(ref), feishu_code: answer.detail.feishu_code };
        logger.warn(fields, 'The refresh token was used before: somebody may hold its successor, which is waited for');
        return kept(awaitMs, answer.detail, { asked: true });
      }
    }
  };

  const succeed = async (ref: GrantRef, before: Grant, view: GrantView, fresh: TokenSet): Promise<RefreshOutcome> => {
    const tokens: TokenSet = {
      ...fresh,
      // FEISHU.md §6.2: left out or empty, the old ones stand.
      refreshToken: fresh.refreshToken ?? before.tokens.refreshToken,
      refreshExpiresAt: fresh.refreshExpiresAt ?? before.tokens.refreshExpiresAt,
    };
    const { wider, ...kept } = before;
    const stillWider = wider !== undefined && wider.expiresAt > view.now;
    const grant: Grant = { ...kept, tokens, ...(stillWider && { wider }) };
    const planned = { ...view.marks, ...grant, failures: 0, retryAt: null };
    const dueAt = firstDueAt(planned, deps.policy, deps.random);
    const generation = Math.max(tokens.expiresAt - tokens.expiresIn * 1000, ref.generation + 1);
    const next = { generation, grant, dueAt };
    const verdict = await successors.keep(ref, next);
    if (verdict === 'dropped') {
      logger.info(
        { event: 'token.discarded', ...idsOf(ref) },
        'The grant was replaced or forgotten during its refresh; what the refresh brought is gone',
      );
      ends.discard(ref.appId, tokens);
      const { stored } = await deps.vault.look(ref.appId, ref.openId);
      return stored === null ? { kind: 'over' } : { kind: 'fresh', stored };
    }
    const times = {
      expires_at: new Date(tokens.expiresAt).toISOString(),
      next_at: dueAt && new Date(dueAt).toISOString(),
    };
    logger.info({ event: 'token.refreshed', ...idsOf(ref), ...times, kept: verdict }, 'An access token was refreshed');
    return { kind: 'fresh', stored: next };
  };

  const suspend = async (
    ref: GrantRef,
    answer: Extract<RefreshAnswer, { kind: 'operator' }>,
    failures: number,
    unknown: boolean,
  ): Promise<RefreshOutcome> => {
    const { detail, wholeApp } = answer;
    const delayMs = backoffDelayMs(failures + 1, wholeApp ? HALT : SUSPENDED, deps.random);
    const halts = await store.keep(ref, {
      delayMs,
      detail,
      suspended: true,
      unknown,
      ...(wholeApp && { haltMs: delayMs }),
    });
    const feishu = { feishu_code: detail.feishu_code, log_id: detail.log_id };
    if (wholeApp) {
      const fields = { event: 'token.refresh_halted', ...idsOf(ref), ...feishu, retry_in_ms: delayMs };
      if (halts <= 1)
        logger.error(fields, `No token of this app can be refreshed; all grants are kept: ${detail.remedy}`);
      else logger.debug(fields, 'Still no token of this app can be refreshed');
    } else {
      const fields = { event: 'grant.suspended', ...idsOf(ref), ...feishu, retry_in_ms: delayMs };
      logger.error(fields, `Feishu does not refresh this grant; it is kept: ${detail.remedy}`);
    }
    return kept(delayMs, detail, { operator: true, asked: true });
  };

  /** Nobody has brought a successor. */
  const lost = async (
    ref: GrantRef,
    grant: Grant,
    view: GrantView,
    sentBefore: string | null,
  ): Promise<RefreshOutcome> => {
    const detail = view.marks.detail ?? LOST;
    return await over(ref, grant, detail, { explained: sentBefore !== null, isSuspect: view.marks.isSuspect });
  };

  const over = async (
    ref: GrantRef,
    grant: Grant,
    detail: FailureDetail,
    why: { readonly explained: boolean; readonly isSuspect: boolean },
  ): Promise<RefreshOutcome> => {
    const verdict = why.isSuspect
      ? await ends.withdrawn(ref, grant, detail)
      : await ends.dead(ref, grant, detail, why.explained);
    if (verdict === 'braked') return kept(SUSPENDED.maxMs, detail, { operator: true, asked: true });
    if (verdict === 'ended') return { kind: 'over' };
    const { stored } = await deps.vault.look(ref.appId, ref.openId);
    return stored === null ? { kind: 'over' } : { kind: 'fresh', stored };
  };

  const sayKept = (ref: GrantRef, { detail, kind }: { kind: string; detail: FailureDetail }, delayMs: number): void => {
    const feishu = { feishu_code: detail.feishu_code, log_id: detail.log_id };
    const fields = { event: 'token.refresh_failed', ...idsOf(ref), ...feishu, result: kind, retry_in_ms: delayMs };
    logger.warn(fields, 'A token could not be refreshed now; the grant is kept and it is tried again');
  };

  return {
    async run(request) {
      const key = `${request.appId} ${request.openId}`;
      const running = inHand.get(key);
      if (running !== undefined && (running.force || !request.force)) return await running.result;
      // A forced try waits for the one under way: together they would be two calls.
      const result = (running === undefined ? Promise.resolve(null) : running.result.catch(() => null)).then(
        (before) => (before?.kind === 'fresh' && before.stored.generation > request.seen ? before : attempt(request)),
      );
      const entry = { force: request.force, result };
      inHand.set(key, entry);
      try {
        return await result;
      } finally {
        if (inHand.get(key) === entry) inHand.delete(key);
      }
    },

    async settled() {
      while (inHand.size > 0) await Promise.allSettled([...inHand.values()].map(({ result }) => result));
    },
  };
}

const LOST: FailureDetail = {
  remedy:
    'The refresh token was used, and its successor was lost with the process that had it. The user is asked again.',
  for: 'user',
};
