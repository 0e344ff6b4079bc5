/**
 * Moves grants that are due from the sorted set into the queue `token-refresh`, oldest first and never more than the
 * queue has room for: what waits longer waits in the set, where an entry is small. Each process may do it; what one has
 * taken is due again for all after a while, should its job be lost.
 */
import type { RefreshStore } from '../store/refresh-store.js';

export interface RefreshScheduleDeps {
  readonly appIds: readonly string[];
  readonly store: Pick<RefreshStore, 'takeDue'>;
  readonly jobs: {
    refresh(appId: string, openIds: readonly string[]): Promise<void>;
    /** Jobs of the queue that are not finished. */
    refreshBacklog(): Promise<number>;
  };
}

/** In the queue at most; a minute's worth of Feishu's limit. */
const MAX_QUEUED = 1_000;
const BATCH = 200;
const CLAIM_MS = 30_000;

/** Returns how many grants were moved. */
export async function moveDue({ appIds, jobs, store }: RefreshScheduleDeps): Promise<number> {
  let room = MAX_QUEUED - (await jobs.refreshBacklog());
  let moved = 0;
  for (const appId of appIds) {
    for (let taken = BATCH; taken === BATCH && room >= BATCH; ) {
      const openIds = await store.takeDue(appId, BATCH, CLAIM_MS);
      taken = openIds.length;
      if (taken > 0) await jobs.refresh(appId, openIds);
      moved += taken;
      room -= taken;
    }
  }
  return moved;
}
