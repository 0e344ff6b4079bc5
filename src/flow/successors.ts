/**
 * Keeps the successors of token sets: what a refresh has brought is the only copy there is. Written to the spool first,
 * then to the store; if Redis will not take it, it is served from here and handed over as soon as Redis does. The file
 * stays a moment longer than Redis may need to write its log to disk, so that a Redis that loses its last second gets it
 * again. Owns no decision about refreshing.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Grant, StoredGrant } from '../domain/grant.js';
import type { GrantRef, RefreshStore } from '../store/refresh-store.js';
import type { Spool, SpooledGrant, SpoolVerdict } from '../store/spool.js';
import type { Discard } from './discard.js';

export interface Successor {
  readonly generation: number;
  readonly grant: Grant;
  readonly dueAt: number | null;
}

/** `stored` now, or `spooled` until Redis is there; `dropped`: the grant was replaced or forgotten meanwhile. */
export type KeptSuccessor = 'stored' | 'spooled' | 'dropped';

export interface Successors {
  keep(ref: GrantRef, next: Successor): Promise<KeptSuccessor>;
  /** What Redis has not taken yet. */
  unsaved(appId: string, openId: string): StoredGrant | null;
  /** The store knows better: another process that shares the folder has handed it over, or the grant is forgotten. */
  superseded(appId: string, openId: string, unsaved: StoredGrant): void;
  /** An entry of the spool, at a drain. */
  take(entry: SpooledGrant): Promise<SpoolVerdict>;
}

export interface SuccessorsDeps {
  readonly store: Pick<RefreshStore, 'commit'>;
  readonly spool: Pick<Spool, 'write'>;
  readonly discard: Discard;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonic: () => number;
  readonly logger: Logger;
}

/** `appendfsync everysec` may be two seconds behind (Redis, "Persistence"). */
const HOLD_MS = 2_500;
/** A file is looked at every second, so one that nobody has asked for so long is gone; a Redis that is away comes later. */
const FORGET_MS = 60_000;
/** Between tries when neither spool nor store takes a successor. */
const AGAIN_MS = 500;

export function createSuccessors(deps: SuccessorsDeps): Successors {
  const { logger, spool, store } = deps;
  const waiting = new Map<string, StoredGrant>();
  /** Since when the store is known to have an entry, oldest first. */
  const seenSince = new Map<string, number>();
  const keyOf = (appId: string, openId: string): string => `${appId} ${openId}`;

  /** Notes it again as the newest; forgets those whose files another process that shares the folder has taken away. */
  const noteSeen = (name: string): void => {
    const now = deps.monotonic();
    seenSince.delete(name);
    seenSince.set(name, now);
    for (const [old, since] of seenSince) {
      if (now - since < FORGET_MS) return;
      seenSince.delete(old);
    }
  };

  const idsOf = ({ appId, openId }: GrantRef) => ({ app_id: appId, open_id: openId });

  const spooled = async (ref: GrantRef, next: Successor): Promise<boolean> => {
    const { appId, generation, openId } = ref;
    try {
      await spool.write({ kind: 'grant', appId, openId, after: generation, ...next });
      return true;
    } catch (error) {
      const fields = { event: 'token.not_spooled', ...idsOf(ref), err: error };
      logger.error(fields, 'A fresh token set could not be written to the spool. Check STATE_DIR');
      return false;
    }
  };

  const committed = async (ref: GrantRef, next: Successor): Promise<'stored' | 'dropped' | null> => {
    try {
      const verdict = await store.commit(ref, next);
      return verdict === 'done' || verdict === 'present' ? 'stored' : 'dropped';
    } catch (error) {
      const fields = { event: 'token.spooled', ...idsOf(ref), err: error };
      logger.warn(fields, 'Redis does not take a fresh token set; it waits in the spool and is served from here');
      return null;
    }
  };

  return {
    async keep(ref, next) {
      const key = keyOf(ref.appId, ref.openId);
      for (;;) {
        const isSafe = await spooled(ref, next);
        if (isSafe) waiting.set(key, next);
        const kept = await committed(ref, next);
        if (kept !== null) waiting.delete(key);
        if (kept !== null) return kept;
        if (isSafe) return 'spooled';
        logger.error(
          { event: 'token.not_kept', ...idsOf(ref) },
          'Neither Redis nor the spool takes a fresh token set; do not stop this process. Check Redis and STATE_DIR',
        );
        await sleep(AGAIN_MS);
      }
    },

    unsaved: (appId, openId) => waiting.get(keyOf(appId, openId)) ?? null,

    superseded(appId, openId, unsaved) {
      const key = keyOf(appId, openId);
      if (waiting.get(key) === unsaved) waiting.delete(key);
    },

    async take(entry) {
      const { after, appId, openId } = entry;
      const ref = { appId, openId, generation: after };
      const name = `${keyOf(appId, openId)} ${entry.generation}`;
      const verdict = await store.commit(ref, entry);
      const key = keyOf(appId, openId);
      if (waiting.get(key)?.generation === entry.generation) waiting.delete(key);
      if (verdict === 'changed' || verdict === 'gone') {
        seenSince.delete(name);
        if (verdict === 'gone') deps.discard(appId, openId, entry.grant);
        return 'drop';
      }
      const since = seenSince.get(name);
      if (verdict === 'done') {
        logger.info({ event: 'token.unspooled', ...idsOf(ref) }, 'A spooled token set was handed to the store');
      }
      if (verdict === 'done' || since === undefined) {
        noteSeen(name);
        return 'hold';
      }
      if (deps.monotonic() - since < HOLD_MS) return 'hold';
      seenSince.delete(name);
      return 'drop';
    },
  };
}
