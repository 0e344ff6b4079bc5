/**
 * What takes clicks and events, whichever way they come: built once for a process that has long connections, a callback
 * server for HTTP callbacks, or both. HTTP is served before Redis has been reached, so clicks may come before, too.
 */
import type { Logger } from 'pino';
import type { AppConfig, Config } from '../config/config.js';
import type { Metrics } from '../domain/metrics.js';
import { parseCallback } from '../feishu/callback.js';
import { type Clicks, createClicks } from '../flow/click.js';
import type { Hints } from '../flow/hints.js';
import { createReceive, type ReceiveFor } from '../flow/receive.js';
import type { FeishuParts } from './feishu-parts.js';
import type { GrantParts } from './grant-parts.js';
import type { LateJobs } from './late-producer.js';
import { onceReached, type RequireRedis } from './once-reached.js';
import type { StoreParts } from './store-parts.js';

export interface ClickParts {
  readonly clicks: Clicks;
  readonly receive: ReceiveFor;
}

export interface ClickPartsDeps {
  readonly config: Config;
  readonly store: StoreParts;
  readonly feishu: FeishuParts;
  readonly grants: GrantParts;
  /** Reject before Redis has been reached: a click gets a toast then. */
  readonly jobs: LateJobs;
  readonly requireRedis: RequireRedis;
  readonly hints: Hints;
  readonly isStopping: () => boolean;
  readonly metrics: Metrics;
  readonly now: () => number;
  readonly logger: Logger;
}

/** From a click's arrival to our answer. Feishu gives up after 3 s; ours is there within one, on a busy machine too. */
const ACK_BUDGET_MS = 700;

export function buildClicks(deps: ClickPartsDeps): ClickParts {
  const { config, feishu, logger, metrics, requireRedis, store } = deps;
  const forget = onceReached(deps.grants.forget, requireRedis);
  const clicks = createClicks({
    sessions: onceReached(store.sessions, requireRedis),
    producer: deps.jobs,
    changes: store.changes,
    hints: deps.hints,
    withdraw: forget.byUser,
    renderer: feishu.renderer,
    grantOf: (appId) => feishu.app(appId)?.authGrant,
    ackBudgetMs: ACK_BUDGET_MS,
    sessionTtlMs: config.session.ttlSeconds * 1000,
    isStopping: deps.isStopping,
    metrics,
    now: deps.now,
    logger,
  });
  const withdrawals = onceReached(deps.grants.withdrawals, requireRedis);
  return { clicks, receive: createReceive({ parse: parseCallback, clicks, withdrawals, metrics, logger }) };
}

/** Apps by the way their clicks and events come. */
export const appsBy = (config: Pick<Config, 'apps'>, way: AppConfig['cardCallback']): readonly AppConfig[] =>
  config.apps.filter((app) => app.cardCallback === way);
