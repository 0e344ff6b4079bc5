/** What looks after grants, built in one place: the refresh engine, how grants end, what the API reads of them. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import type { Metrics } from '../domain/metrics.js';
import type { RefreshPolicy } from '../domain/refresh-plan.js';
import { createDrainSpool } from '../flow/drain-spool.js';
import { createGrantEnds, type GrantEnds } from '../flow/grant-ends.js';
import { createGrants, type Grants } from '../flow/grants.js';
import type { Hints } from '../flow/hints.js';
import { createRefresh, type Refresh } from '../flow/refresh.js';
import { createConclude } from '../flow/refresh-outcome.js';
import { createSuccessors } from '../flow/successors.js';
import type { Producer } from '../queue/producer.js';
import { createRefreshStore, type RefreshStore } from '../store/refresh-store.js';
import type { FeishuParts } from './feishu-parts.js';
import type { StoreParts } from './store-parts.js';

export interface GrantParts {
  readonly policy: RefreshPolicy;
  readonly refreshStore: RefreshStore;
  readonly refresh: Refresh;
  readonly ends: GrantEnds;
  readonly grants: Grants;
  readonly drainSpool: () => Promise<void>;
}

export interface GrantPartsDeps {
  readonly config: Config;
  readonly store: StoreParts;
  readonly feishu: FeishuParts;
  readonly lateProducer: () => Producer;
  readonly hints: Hints;
  readonly metrics: Pick<Metrics, 'tokenRefreshed'>;
  readonly logger: Logger;
  readonly now: () => number;
  readonly random: () => number;
}

const DAY_MS = 86_400_000;

export function buildGrants(deps: GrantPartsDeps): GrantParts {
  const { config, feishu, hints, lateProducer, logger, metrics, now, random, store } = deps;
  const policy: RefreshPolicy = {
    mode: config.tokens.refreshPolicy,
    threshold: config.tokens.refreshThreshold,
    maxIdleMs: config.tokens.grantMaxIdleDays * DAY_MS,
    timezone: config.cards.timezone,
  };
  const monotonic = (): number => performance.now();
  const refreshStore = createRefreshStore({
    redis: store.redis,
    keys: store.keys,
    vault: store.vault,
    owner: randomUUID(),
  });
  const successors = createSuccessors({ store: refreshStore, spool: store.spool, monotonic, logger });
  const drainSpool = createDrainSpool({
    spool: store.spool,
    vault: store.vault,
    successors,
    pollNow: (sessionId, linkNumber) => lateProducer().pollNow(sessionId, linkNumber),
    logger,
  });
  const ends = createGrantEnds({
    store: refreshStore,
    revocation: feishu.revocation,
    app: feishu.app,
    hints,
    lookNow: (appId, openId) => lateProducer().refresh(appId, [openId]),
    logger,
  });
  const conclude = createConclude({
    vault: store.vault,
    store: refreshStore,
    successors,
    ends,
    metrics,
    policy,
    random,
    logger,
  });
  const refresh = createRefresh({
    vault: store.vault,
    store: refreshStore,
    spool: store.spool,
    drainSpool,
    successors,
    conclude,
    changes: store.changes,
    tokenEndpoint: feishu.tokenEndpoint,
    app: feishu.app,
    now,
    monotonic,
    logger,
  });
  const grants = createGrants({
    vault: store.vault,
    store: refreshStore,
    successors,
    refresh,
    hints,
    policy,
    random,
    now,
  });
  return { policy, refreshStore, refresh, ends, grants, drainSpool };
}
