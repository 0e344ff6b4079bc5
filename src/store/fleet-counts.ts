/** What the whole fleet holds for an app, in numbers, as Redis knows it: the same in every process (CONTRACT §7). */
import type { Redis } from 'ioredis';
import type { StoreKeys } from './keys.js';
import { countScript } from './scripts/counting.js';

export interface FleetCounts {
  /** Sessions that wait for their user. */
  readonly liveSessions: number;
  /** Grants that have not ended: usable now, or renewable. */
  readonly grants: number;
  /** How many of these end within each of the spans asked for. */
  readonly expiring: readonly number[];
}

export type CountFleet = (appId: string, spansMs: readonly number[]) => Promise<FleetCounts>;

export function createFleetCounts({ redis, keys }: { redis: Redis; keys: StoreKeys }): CountFleet {
  return async (appId, spansMs) => {
    const [liveSessions = 0, grants = 0, ...expiring] = (await countScript(
      redis,
      [keys.base(appId)],
      spansMs,
    )) as number[];
    return { liveSessions, grants, expiring };
  };
}
