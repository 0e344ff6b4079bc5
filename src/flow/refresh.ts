/**
 * The refresh engine (ARCHITECTURE invariant 3): however many callers in any number of processes, one call to Feishu.
 * Within a process callers share a try; between processes the lease in Redis decides, and whoever has not got it waits
 * for the other's result. No lease, no call. What the call brings is kept before anything else; what it may have cost is
 * known from the intent that was written before it. Owns the order of these steps; the store owns each of them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { AppConfig } from '../config/config.js';
import type { GrantView, StoredGrant } from '../domain/grant.js';
import type { TokenEndpoint } from '../oauth/token-endpoint.js';
import type { Changes } from '../store/changes.js';
import type { GrantVault } from '../store/grant-vault.js';
import type { GrantRef, RefreshStore } from '../store/refresh-store.js';
import type { Spool } from '../store/spool.js';
import { type Conclude, notNow, type RefreshOutcome, type Tried } from './refresh-outcome.js';
import type { Successors } from './successors.js';

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
  readonly successors: Pick<Successors, 'unsaved'>;
  readonly conclude: Conclude;
  readonly changes: Pick<Changes, 'wait'>;
  readonly tokenEndpoint: Pick<TokenEndpoint, 'refresh'>;
  readonly app: (appId: string) => AppConfig | undefined;
  /** The process is about to end: what is sent now may be answered too late. */
  readonly isStopping: () => boolean;
  /** Milliseconds since the epoch, by our own clock: where Redis does not tell. */
  readonly now: () => number;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonic: () => number;
  readonly logger: Logger;
}

/**
 * Longer than callers wait: giving up means not to know, and what Feishu answers after that is lost. Renewed while the
 * request is under way, a lease is over this soon after a kill -9.
 */
const REQUEST_TIMEOUT_MS = 30_000;
const LEASE_MS = 15_000;
const LEASE_RENEW_MS = 4_000;
/** The lease began before we heard of it: by no more than a command may take. */
const LEASE_DOUBT_MS = 2_000;
/** Less than this of it, and nothing is sent: long enough for the request to arrive. */
const LEASE_LEFT_MS = 5_000;
/** For its turn in the budget. */
const MAX_WAIT_MS = 3_000;
/** Between an unknown outcome and the one repeat. */
const REPEAT_AFTER_MS = 500;
/** Longest wait for somebody else's refresh; the caller's own limit is shorter. */
const OTHERS_MS = 30_000;
const LOOK_EVERY_MS = 1_000;

export function createRefresh(deps: RefreshDeps): Refresh {
  const { conclude, logger, store, successors } = deps;
  const inHand = new Map<string, { readonly force: boolean; readonly result: Promise<RefreshOutcome> }>();

  /** One try of this process: looks until it has the lease, or somebody else has done the work. */
  const attempt = async (request: RefreshRequest): Promise<RefreshOutcome> => {
    const { appId, openId, seen } = request;
    const deadline = deps.monotonic() + OTHERS_MS;
    for (;;) {
      const unsaved = successors.unsaved(appId, openId);
      if (unsaved !== null && unsaved.generation > seen) return { kind: 'fresh', stored: unsaved, now: deps.now() };
      if (deps.spool.holdsGrant(appId, openId)) await deps.drainSpool();
      const view = await deps.vault.look(appId, openId);
      const { stored } = view;
      if (stored === null || stored.grant.tokens.refreshToken === null) return { kind: 'over' };
      if (stored.generation > seen) return { kind: 'fresh', stored, now: view.now };
      const outcome = await begin(request, view, stored, deadline);
      if (outcome !== null) return outcome;
    }
  };

  /** Null: look again. */
  const begin = async (
    { appId, force, openId }: RefreshRequest,
    view: GrantView,
    { generation, grant }: StoredGrant,
    deadline: number,
  ): Promise<RefreshOutcome | null> => {
    const since = deps.monotonic();
    const now = (): number => view.now + Math.round(deps.monotonic() - since);
    const ref = { appId, openId, generation };
    const tried = { ref, grant, marks: view.marks, now };
    const begun = await store.begin(ref, LEASE_MS, force);
    switch (begun.kind) {
      case 'go':
        return await redeem({ ...tried, sentBefore: begun.sentBefore });
      case 'lost':
        return await conclude.lost({ ...tried, sentBefore: begun.sentBefore });
      case 'busy': {
        const left = deadline - deps.monotonic();
        if (left <= 0) return notNow(LOOK_EVERY_MS);
        await deps.changes.wait(`grant:${openId}`, Math.min(left, begun.ms + 1, LOOK_EVERY_MS)).promise;
        return null;
      }
      case 'later':
      case 'halted': {
        const operator = view.marks.status === 'suspended' || begun.kind === 'halted';
        return notNow(begun.ms, { detail: begun.detail, operator });
      }
      case 'await':
        return notNow(begun.ms);
      case 'gone':
      case 'ended':
        return { kind: 'over' };
      case 'changed':
        return null;
    }
  };

  /** The lease is ours: asks Feishu, once more when nobody knows what came of the first time. Null: look again. */
  const redeem = async (tried: Tried): Promise<RefreshOutcome | null> => {
    const { grant, now, ref, sentBefore } = tried;
    const app = deps.app(ref.appId);
    if (app === undefined) return notNow(LOOK_EVERY_MS);
    let ownUnknown = sentBefore === store.owner;
    for (let again = false; ; again = true) {
      const lease = holdLease(ref);
      const answer = await deps.tokenEndpoint
        .refresh({
          app,
          refreshToken: grant.tokens.refreshToken ?? '',
          scopes: grant.tokens.scopes,
          timeoutMs: REQUEST_TIMEOUT_MS,
          maxWaitMs: MAX_WAIT_MS,
          mayStillSend: () => lease.isSafe() && !deps.isStopping(),
          now,
        })
        .finally(lease.letGo);
      // Another process sends it once more when this one ends.
      const isLast = again || deps.isStopping();
      if (answer.kind !== 'unknown' || isLast) return await conclude.answer({ ...tried, ownUnknown }, answer);
      ownUnknown = true;
      logger.warn(
        { event: 'token.refresh_unknown', app_id: ref.appId, open_id: ref.openId, log_id: answer.detail.log_id },
        'No answer to a refresh: Feishu may have taken the token. It is sent once more',
      );
      await sleep(REPEAT_AFTER_MS);
      // Somebody else's by now, or replaced by a new consent: whoever has it goes on.
      if (!(await store.renew(ref, LEASE_MS))) return null;
    }
  };

  /**
   * Keeps a lease that was taken just now for as long as the request is under way: an answer that comes late is still
   * the only one. While Redis cannot be reached it runs out, and nothing is sent on what is left of it.
   */
  const holdLease = (ref: GrantRef): { readonly isSafe: () => boolean; readonly letGo: () => void } => {
    let endsAt = deps.monotonic() + LEASE_MS - LEASE_DOUBT_MS;
    const renew = async (): Promise<void> => {
      const since = deps.monotonic();
      if (await store.renew(ref, LEASE_MS)) endsAt = since + LEASE_MS;
    };
    const timer = setInterval(() => {
      renew().catch((error: unknown) =>
        logger.debug({ event: 'token.lease_not_renewed', err: error }, 'A lease could not be renewed'),
      );
    }, LEASE_RENEW_MS);
    return {
      isSafe: () => endsAt - deps.monotonic() > LEASE_LEFT_MS,
      letGo: () => clearInterval(timer),
    };
  };

  const keyOf = ({ appId, openId }: RefreshRequest): string => `${appId} ${openId}`;
  const serves = (outcome: RefreshOutcome, { seen }: RefreshRequest): boolean =>
    outcome.kind === 'fresh' && outcome.stored.generation > seen;

  /** A try behind the one that may be under way: together they would be two calls. */
  const start = async (request: RefreshRequest): Promise<RefreshOutcome> => {
    const key = keyOf(request);
    const running = inHand.get(key)?.result.catch(() => null) ?? Promise.resolve(null);
    const result = running.then((before) => (before !== null && serves(before, request) ? before : attempt(request)));
    const entry = { force: request.force, result };
    inHand.set(key, entry);
    try {
      return await result;
    } finally {
      if (inHand.get(key) === entry) inHand.delete(key);
    }
  };

  return {
    async run(request) {
      const running = inHand.get(keyOf(request));
      if (running === undefined || (request.force && !running.force)) return await start(request);
      const shared = await running.result;
      // What it brought may be the very token set that this caller has found stale meanwhile.
      return shared.kind === 'fresh' && !serves(shared, request) ? await start(request) : shared;
    },

    async settled() {
      while (inHand.size > 0) await Promise.allSettled([...inHand.values()].map(({ result }) => result));
    },
  };
}
