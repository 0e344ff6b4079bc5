/** What looks after grants, built in one place: the refresh engine, how grants end, what the API reads of them. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import type { Metrics } from '../domain/metrics.js';
import type { RefreshPolicy } from '../domain/refresh-plan.js';
import { createDiscard } from '../flow/discard.js';
import { createDrainSpool } from '../flow/drain-spool.js';
import { createForget, type Forget } from '../flow/forget.js';
import { createGrantEnds, type GrantEnds } from '../flow/grant-ends.js';
import { createGrants, type Grants } from '../flow/grants.js';
import type { Hints } from '../flow/hints.js';
import { createRefresh, type Refresh } from '../flow/refresh.js';
import { createConclude } from '../flow/refresh-outcome.js';
import { createSuccessors } from '../flow/successors.js';
import { createWithdrawals, type Withdrawals } from '../flow/withdrawal.js';
import { createRefreshStore, type RefreshStore } from '../store/refresh-store.js';
import type { FeishuParts } from './feishu-parts.js';
import type { LateJobs } from './late-producer.js';
import type { StoreParts } from './store-parts.js';

export interface GrantParts {
  readonly policy: RefreshPolicy;
  readonly refreshStore: RefreshStore;
  readonly refresh: Refresh;
  readonly ends: GrantEnds;
  readonly grants: Grants;
  readonly forget: Forget;
  readonly withdrawals: Withdrawals;
  readonly drainSpool: () => Promise<void>;
  /** Notices that it is another run of Redis. */
  readonly noteRun: () => Promise<void>;
}

export interface GrantPartsDeps {
  readonly config: Config;
  readonly store: StoreParts;
  readonly feishu: FeishuParts;
  readonly jobs: LateJobs;
  readonly hints: Hints;
  readonly isStopping: () => boolean;
  readonly metrics: Pick<Metrics, 'tokenRefreshed'>;
  readonly logger: Logger;
  readonly now: () => number;
  readonly random: () => number;
}

const DAY_MS = 86_400_000;

export function buildGrants(deps: GrantPartsDeps): GrantParts {
  const { config, feishu, hints, jobs, logger, metrics, now, random, store } = deps;
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
  const discard = createDiscard({ ...feishu, hints, logger });
  const successors = createSuccessors({ store: refreshStore, spool: store.spool, discard, monotonic, logger });
  const drainSpool = createDrainSpool({
    spool: store.spool,
    vault: store.vault,
    successors,
    pollNow: jobs.pollNow,
    logger,
  });
  const lookNow = (appId: string, openId: string): Promise<void> => jobs.refresh(appId, [openId]);
  const ends = createGrantEnds({ store: refreshStore, hints, lookNow, logger });
  const conclude = createConclude({
    vault: store.vault,
    store: refreshStore,
    successors,
    ends,
    discard,
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
    isStopping: deps.isStopping,
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
  const forget = createForget({
    vault: store.vault,
    store: refreshStore,
    discard,
    hints,
    lookNow,
    dropJob: jobs.dropRefresh,
    logger,
  });
  const withdrawals = createWithdrawals({ vault: store.vault, store: refreshStore, ends, hints, lookNow, logger });
  const noteRun = async (): Promise<void> => {
    await Promise.all(config.apps.map(({ appId }) => refreshStore.noteRun(appId)));
  };
  return { policy, refreshStore, refresh, ends, grants, forget, withdrawals, drainSpool, noteRun };
}
