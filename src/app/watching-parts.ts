/** What looks on while the daemon works: metrics, status page, and the note by which other processes know of this one. */
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import type { Trouble } from '../domain/fleet.js';
import type { LongConnectionStatus } from '../feishu/long-connection/status.js';
import type { Producer } from '../queue/producer.js';
import type { FloodGate } from '../telemetry/flood-gate.js';
import type { MetricsRegistry } from '../telemetry/metrics.js';
import { createFleetReads } from './fleet-reads.js';
import type { Explain } from './meanings.js';
import { createPresence, type Presence } from './presence.js';
import { createScrape, type Scrape } from './scrape.js';
import { createStatus, type ReadStatus } from './status.js';
import type { StoreParts } from './store-parts.js';

export interface WatchingDeps {
  readonly config: Config;
  readonly store: StoreParts;
  readonly version: string;
  readonly metrics: MetricsRegistry;
  /** null until Redis has been reached. */
  readonly producer: () => Producer | null;
  readonly connections: () => readonly LongConnectionStatus[];
  readonly stalledQueues: () => readonly string[];
  readonly troubles: () => readonly Trouble[];
  readonly explain: Explain;
  readonly gate: FloodGate;
  readonly logger: Logger;
  readonly now: () => number;
}

export interface WatchingParts {
  readonly presence: Presence;
  readonly scrape: Scrape;
  readonly status: ReadStatus;
}

export function buildWatching(deps: WatchingDeps): WatchingParts {
  const { config, store } = deps;
  const presence = createPresence({
    ...deps,
    processId: store.processId,
    roles: config.roles,
    spoolEntries: store.spool.count,
    processes: store.processes,
    isRedisUp: () => store.redis.status === 'ready',
  });
  const reads = createFleetReads(deps);
  return {
    presence,
    scrape: createScrape({ ...deps, reads }),
    status: createStatus({ ...deps, ...store, apps: config.apps, reads, presence }),
  };
}
