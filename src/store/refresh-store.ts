/**
 * What the refresh of grants needs of the store: lease and intent before, the successor or the end after, the schedule
 * (ARCHITECTURE invariant 3). Each method is one atomic script; times are milliseconds, by Redis's clock.
 *
 * Errors: whatever ioredis throws when Redis does not answer.
 */

import type { Redis } from 'ioredis';
import type { Grant } from '../domain/grant.js';
import { grantEndsAt } from '../domain/refresh-plan.js';
import type { FailureDetail } from '../domain/session.js';
import type { GrantVault } from './grant-vault.js';
import type { StoreKeys } from './keys.js';
import type { Script, ScriptArgument } from './script.js';
import { noteRunScript } from './scripts/redis-run.js';
import * as refreshing from './scripts/refreshing.js';

/** One generation of a grant, and who acts on it. */
export interface GrantRef {
  readonly appId: string;
  readonly openId: string;
  readonly generation: number;
}

/**
 * - `go`: the lease is ours; `sentBefore`: who may have sent this refresh token already, nobody knowing the outcome
 * - `busy`: somebody else's lease, for so long
 * - `later`, `halted` (the whole app): not to be tried for so long
 * - `await`: Feishu has seen the token before; somebody may hold its successor, for so long
 * - `lost`: nobody did
 * - `changed`, `gone`, `ended`: it is not that generation any more, or it is over
 */
export type BeginRefresh =
  | { readonly kind: 'go'; readonly now: number; readonly sentBefore: string | null }
  | { readonly kind: 'busy' | 'await'; readonly ms: number }
  | { readonly kind: 'later' | 'halted'; readonly ms: number; readonly detail: FailureDetail | null }
  | { readonly kind: 'lost'; readonly sentBefore: string | null }
  | { readonly kind: 'changed' | 'gone' | 'ended' };

export interface KeepGrant {
  readonly delayMs: number;
  readonly detail: FailureDetail | null;
  /** An operator must act before it can work again. */
  readonly suspended: boolean;
  /** Feishu may have taken the refresh token: the intent stays. */
  readonly unknown: boolean;
  /** No refresh of the whole app for so long; a halt that follows another lasts longer. */
  readonly haltMs?: number;
  /** Somebody else may hold the successor: wait so long for it. */
  readonly awaitMs?: number;
}

export interface EndGrant {
  readonly status: 'reauthorization_required' | 'revoked';
  readonly detail: FailureDetail;
  readonly wipe: boolean;
  /** The card that must be sent for it. */
  readonly card: 'ask' | 'notice' | null;
  /** We know why it ended: it does not count for the brake. */
  readonly explained: boolean;
  /** Whose grant it is: remembered when the tokens go. */
  readonly clientIds?: readonly string[];
}

export type RefreshStore = ReturnType<typeof createRefreshStore>;

export interface RefreshStoreDeps {
  readonly redis: Redis;
  readonly keys: StoreKeys;
  readonly vault: Pick<GrantVault, 'seal'>;
  /** Names this process in leases and intents. */
  readonly owner: string;
  /** Behind a restart or failover of Redis nobody begins for so long; only tests shorten it. */
  readonly settleMs?: number;
}

/** Owners renew a lease every 4 s, hand over successors every second, and find Redis again within 2.5 s. */
const SETTLE_MS = 8_000;
/** While one process looks whether a halt of the app may end, the others wait for so long. */
const PROBE_MS = 10_000;
const LONGEST_HALT_MS = 30_000;
/** So many unexplained ends within ten minutes are believed; above that only this part of all refreshes (invariant 3). */
const BRAKE = { floor: 5, part: 0.01 } as const;

export function createRefreshStore({ redis, keys, vault, owner, settleMs = SETTLE_MS }: RefreshStoreDeps) {
  const run = (script: Script, appId: string, ...args: readonly ScriptArgument[]): Promise<unknown> =>
    script(redis, [keys.base(appId)], args);

  return {
    owner,

    /** Notices a Redis that was started again or replaced; begins wait for a while behind that. */
    async noteRun(appId: string): Promise<void> {
      await run(noteRunScript, appId);
    },

    async begin(ref: GrantRef, leaseMs: number, force: boolean): Promise<BeginRefresh> {
      const { appId, generation, openId } = ref;
      const args = [openId, generation, owner, leaseMs, force ? '1' : '', PROBE_MS, settleMs];
      const [kind, first, second] = asList(await run(refreshing.beginRefreshScript, appId, ...args));
      switch (kind) {
        case 'go':
          return { kind, now: Number(first), sentBefore: second ? String(second) : null };
        case 'lost':
          return { kind, sentBefore: first ? String(first) : null };
        case 'busy':
        case 'await':
          return { kind, ms: Number(first) };
        case 'later':
        case 'halted':
          return { kind, ms: Number(first), detail: second ? (JSON.parse(String(second)) as FailureDetail) : null };
        case 'gone':
        case 'ended':
          return { kind };
        default:
          return { kind: 'changed' };
      }
    },

    /** Whether the lease is ours, now for so long, on the same generation; not while it is somebody else's. */
    async renew({ appId, generation, openId }: GrantRef, leaseMs: number): Promise<boolean> {
      return (await run(refreshing.renewLeaseScript, appId, openId, generation, owner, leaseMs)) === 1;
    },

    /** The successor of `ref`. `present`: it is stored already. */
    async commit(
      ref: GrantRef,
      next: { readonly generation: number; readonly grant: Grant; readonly dueAt: number | null },
    ): Promise<'done' | 'present' | 'changed' | 'gone'> {
      const { appId, generation, openId } = ref;
      const value = vault.seal(appId, openId, next.generation, next.grant);
      const args = [openId, generation, owner, next.generation, value, next.dueAt ?? '', grantEndsAt(next.grant)];
      const reply = await run(refreshing.commitRefreshScript, appId, ...args);
      return reply === 'done' || reply === 'present' || reply === 'gone' ? reply : 'changed';
    },

    /**
     * The grant stays. Returns how many halts of the app there have been in a row, when this is a new one; else 0. Null:
     * it is not that generation any more.
     */
    async keep({ appId, generation, openId }: GrantRef, how: KeepGrant): Promise<number | null> {
      const args = [
        openId,
        generation,
        owner,
        Math.ceil(how.delayMs),
        how.detail === null ? '' : JSON.stringify(how.detail),
        how.suspended ? 'suspended' : '',
        how.unknown ? '1' : '',
        Math.ceil(how.haltMs ?? 0),
        Math.ceil(how.awaitMs ?? 0),
        LONGEST_HALT_MS,
      ];
      const halts = Number(await run(refreshing.keepGrantScript, appId, ...args));
      return halts < 0 ? null : halts;
    },

    async end({ appId, generation, openId }: GrantRef, how: EndGrant): Promise<'ended' | 'changed' | 'braked'> {
      const args = [
        openId,
        generation,
        owner,
        how.status,
        JSON.stringify(how.detail),
        how.wipe ? 'wipe' : 'keep',
        how.card ?? '',
        how.explained ? '1' : '',
        BRAKE.floor,
        BRAKE.part,
        JSON.stringify(how.clientIds ?? []),
      ];
      const reply = await run(refreshing.endGrantScript, appId, ...args);
      return reply === 'ended' || reply === 'braked' ? reply : 'changed';
    },

    async noteUse(appId: string, openId: string, dueAt: number | null): Promise<void> {
      await run(refreshing.noteUseScript, appId, openId, dueAt ?? '');
    },

    /** Whether there is a grant to be verified. */
    async suspect(appId: string, openId: string): Promise<boolean> {
      return (await run(refreshing.suspectScript, appId, openId)) === 1;
    },

    async trust(appId: string, openId: string): Promise<void> {
      await run(refreshing.trustScript, appId, openId);
    },

    /** The card of an ended grant, or of one that is asked for again, is on its way. */
    async sent(appId: string, openId: string, card: 'ask' | 'notice'): Promise<void> {
      await run(refreshing.sentScript, appId, openId, card, card === 'ask' ? 'asked' : '');
    },

    /** Looks at the grant again then; null: not any more. */
    async lookAt(appId: string, openId: string, at: number | null): Promise<void> {
      await run(refreshing.lookAtScript, appId, openId, at ?? '');
    },

    /**
     * Forgets a grant; `revoked`: remembers that the user has withdrawn it, from whom, and that she is to be told.
     * `only`: as long as it is still the one that was read. False: there is no such grant.
     */
    async forget(
      appId: string,
      openId: string,
      revoked: boolean,
      only?: { readonly generation: number; readonly clientIds: readonly string[] },
    ): Promise<boolean> {
      const args = [openId, only?.generation ?? '', revoked ? 'revoked' : '', JSON.stringify(only?.clientIds ?? [])];
      return (await run(refreshing.forgetGrantScript, appId, ...args)) === 1;
    },

    /** The users whose grants are due, at most so many; they are due again after the claim. */
    async takeDue(appId: string, limit: number, claimMs: number): Promise<string[]> {
      return asList(await run(refreshing.takeDueScript, appId, limit, claimMs)).map(String);
    },
  };
}

const asList = (reply: unknown): readonly unknown[] => (Array.isArray(reply) ? reply : []);
