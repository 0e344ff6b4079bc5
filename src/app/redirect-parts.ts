/** The authorization code grant's way back: from what a browser brings to the page it gets. */
import type { Logger } from 'pino';
import type { Metrics } from '../domain/metrics.js';
import type { ReceiveRedirect } from '../domain/redirect.js';
import type { Hints } from '../flow/hints.js';
import { createReceiveRedirect } from '../flow/redirect.js';
import { explainRedirectError } from '../oauth/redirect-error.js';
import type { FeishuParts } from './feishu-parts.js';
import type { LateJobs } from './late-producer.js';
import { onceReached, type RequireRedis } from './once-reached.js';
import type { StoreParts } from './store-parts.js';

export interface RedirectPartsDeps {
  readonly store: StoreParts;
  readonly feishu: FeishuParts;
  readonly jobs: LateJobs;
  readonly requireRedis: RequireRedis;
  readonly hints: Hints;
  readonly metrics: Pick<Metrics, 'sessionExpired' | 'sessionFailed'>;
  readonly now: () => number;
  readonly logger: Logger;
}

/** How long a page waits for its outcome. */
const WAIT_MS = 8_000;

export const buildRedirects = ({ feishu, jobs, requireRedis, store, ...deps }: RedirectPartsDeps): ReceiveRedirect =>
  createReceiveRedirect({
    ...deps,
    links: feishu.links,
    names: feishu.names,
    redirects: onceReached(store.redirects, requireRedis),
    sessions: onceReached(store.sessions, requireRedis),
    changes: store.changes,
    producer: jobs,
    explainError: explainRedirectError,
    waitMs: WAIT_MS,
  });
