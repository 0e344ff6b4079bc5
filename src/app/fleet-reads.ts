/**
 * What Redis and BullMQ say of the fleet, for metrics and status page alike. Each read is null while it is not known;
 * how long one may take is its reader's business.
 */
import type { AppConfig } from '../config/config.js';
import { TIER_4 } from '../domain/call-budget.js';
import { FEISHU_APIS } from '../domain/feishu-apis.js';
import { type QueueNumbers, readQueues } from '../queue/numbers.js';
import type { Producer } from '../queue/producer.js';
import { createFleetCounts, type FleetCounts } from '../store/fleet-counts.js';
import { missingKeys, persistenceOk } from '../store/redis-checks.js';
import type { StoreParts } from './store-parts.js';

export interface FleetReadsDeps {
  readonly config: { readonly apps: readonly Pick<AppConfig, 'appId'>[] };
  readonly store: Pick<StoreParts, 'redis' | 'keys' | 'envelope' | 'budget'>;
  /** null until Redis has been reached. */
  readonly producer: () => Producer | null;
  readonly now: () => number;
}

export interface AppCounts extends FleetCounts {
  readonly appId: string;
}

export interface BudgetUsed {
  readonly appId: string;
  readonly api: string;
  /** Calls of the last minute over Feishu's limit of a minute. */
  readonly usedRatio: number;
}

export interface FleetReads {
  /** `spansMs`: ahead, for the grants that end within. */
  counts(spansMs: readonly number[]): Promise<AppCounts[] | null>;
  budgets(): Promise<BudgetUsed[] | null>;
  persistenceOk(): Promise<boolean | null>;
  missingKeys(): Promise<number | null>;
  queues(): Promise<QueueNumbers[] | null>;
  /** Any other read of Redis. */
  whenUp<T>(read: () => Promise<T>): Promise<T | null>;
}

/** The tenant token is not counted by the budget. */
const BUDGETED = FEISHU_APIS.filter((api) => api !== 'auth.tenant_access_token');

export function createFleetReads(deps: FleetReadsDeps): FleetReads {
  const { config, store } = deps;
  const { redis, keys } = store;
  const appIds = config.apps.map((app) => app.appId);
  const countFleet = createFleetCounts({ redis, keys });

  /** Commands to a Redis that is away would only wait in line. */
  const whenUp = async <T>(read: () => Promise<T>): Promise<T | null> =>
    redis.status === 'ready' ? await read() : null;

  return {
    whenUp,
    counts: (spansMs) =>
      whenUp(() => Promise.all(appIds.map(async (appId) => ({ appId, ...(await countFleet(appId, spansMs)) })))),
    budgets: () =>
      whenUp(async () => {
        const perApp = appIds.map(async (appId) => {
          const used = await store.budget.lastMinute(appId, BUDGETED);
          return BUDGETED.map((api, i) => ({ appId, api, usedRatio: (used[i] ?? 0) / TIER_4.perMinute }));
        });
        return (await Promise.all(perApp)).flat();
      }),
    persistenceOk: () => whenUp(() => persistenceOk(redis)),
    missingKeys: () => whenUp(() => missingKeys(redis, keys, store.envelope)),
    queues: () =>
      whenUp(async () => {
        const producer = deps.producer();
        return producer === null ? null : await readQueues({ ...producer, now: deps.now });
      }),
  };
}
