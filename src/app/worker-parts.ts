/** The workers: processors, the pool that feeds them, the watch over it, and the reconciler's first walk. */
import type { Logger } from 'pino';
import type { CardKind, Config } from '../config/config.js';
import type { AskRequest, AskResult } from '../domain/ask.js';
import type { Metrics } from '../domain/metrics.js';
import { AuthdError } from '../errors.js';
import { createAskAgain } from '../flow/ask-again.js';
import { createSuspicion } from '../flow/suspicion.js';
import { createCardActionProcessor } from '../processors/card-action.js';
import { createCardUpdateProcessor } from '../processors/card-update.js';
import { createCodeExchange } from '../processors/code-exchange.js';
import { createConsented } from '../processors/consented.js';
import { createDevicePollProcessor } from '../processors/device-poll.js';
import {
  CLEANUP,
  createMaintenanceProcessor,
  type MaintenanceDeps,
  RECONCILE,
  reconcile,
} from '../processors/maintenance.js';
import { redrawLinks } from '../processors/redraw.js';
import { moveDue } from '../processors/refresh-schedule.js';
import { createRefused } from '../processors/refused.js';
import { createResealSlice } from '../processors/reseal.js';
import { createSessionExpiryProcessor } from '../processors/session-expiry.js';
import { createSettle } from '../processors/settle.js';
import { createShowCard } from '../processors/show-card.js';
import { createShowMessage } from '../processors/show-message.js';
import { createTokenRefreshProcessor } from '../processors/token-refresh.js';
import { createTellWithdrawn } from '../processors/withdrawn-card.js';
import { QUEUES } from '../queue/jobs.js';
import type { Producer } from '../queue/producer.js';
import { createQueueWatch } from '../queue/watch.js';
import { createWorkerPool } from '../queue/worker.js';
import type { FloodGate } from '../telemetry/flood-gate.js';
import type { FeishuParts } from './feishu-parts.js';
import type { GrantParts } from './grant-parts.js';
import { repeat } from './repeat.js';
import type { StoreParts } from './store-parts.js';

export interface WorkerParts {
  stalled(): readonly string[];
  close(): Promise<void>;
}

export interface WorkerPartsDeps {
  readonly config: Config;
  readonly store: StoreParts;
  readonly feishu: FeishuParts;
  readonly grants: GrantParts;
  readonly ask: (request: AskRequest) => Promise<AskResult>;
  readonly producer: Producer;
  readonly metrics: Metrics;
  readonly gate: FloodGate;
  readonly logger: Logger;
  readonly now: () => number;
  readonly random: () => number;
}

const DAY_MS = 86_400_000;
const RECONCILE_EVERY_MS = 15_000;
const CLEANUP_EVERY_MS = 3_600_000;
const SCHEDULE_EVERY_MS = 1_000;
const RESEAL_EVERY_MS = 5_000;

/** Deadlines nest: a poll that has been sent ends before the workers must. */
const pollTimeoutMs = (shutdownMs: number): number => Math.min(10_000, Math.max(3_000, shutdownMs - 2_000));

export async function buildWorkers(deps: WorkerPartsDeps): Promise<WorkerParts> {
  const { config, feishu, gate, grants, logger, metrics, now, producer, store } = deps;
  const { changes, sessions, spool, unreachable, vault } = store;
  const userInfo = async (appId: string, accessToken: string) => {
    const openApi = feishu.openApi(appId);
    if (openApi === undefined) throw new AuthdError('app_not_found', `app ${appId} is not configured here`);
    return await openApi.userInfo(accessToken);
  };
  const settle = createSettle({
    sessions,
    vault,
    producer,
    userInfo,
    policy: grants.policy,
    metrics,
    random: deps.random,
    logger,
  });
  const kindOf = (appId: string): CardKind | undefined => feishu.app(appId)?.card;
  const pollMs = pollTimeoutMs(config.shutdownTimeoutSeconds * 1000);
  const refused = createRefused({ sessions, producer, metrics, logger });
  const consented = createConsented({ vault, spool, settle, now, logger });
  const exchangeCode = createCodeExchange({
    ...feishu,
    redirects: store.redirects,
    consented,
    refused,
    timeoutMs: pollMs,
    random: deps.random,
    logger,
  });
  const maintenance: MaintenanceDeps = {
    appIds: config.apps.map((app) => app.appId),
    sessions,
    jobs: producer,
    retentionMs: config.session.retentionDays * DAY_MS,
    now,
    logger,
  };
  const pool = createWorkerPool({
    connect: store.workerRedis,
    prefix: store.keys.queuePrefix,
    processors: {
      'card-action': createCardActionProcessor({ ...feishu, sessions, vault, producer, metrics, logger }),
      'device-poll': createDevicePollProcessor({
        ...feishu,
        sessions,
        spool,
        producer,
        consented,
        refused,
        exchangeCode,
        settle,
        metrics,
        timeoutMs: pollMs,
        random: deps.random,
        logger,
      }),
      'session-expiry': createSessionExpiryProcessor({ sessions, producer, metrics, logger }),
      'token-refresh': createTokenRefreshProcessor({
        vault,
        store: grants.refreshStore,
        refresh: grants.refresh,
        verify: createSuspicion({ ...grants, store: grants.refreshStore, userInfo, logger }),
        askAgain: createAskAgain({ ask: deps.ask, logger }),
        tellWithdrawn: createTellWithdrawn({ renderer: feishu.renderer, messages: feishu.openApi, kindOf, logger }),
        policy: grants.policy,
        random: deps.random,
        logger,
      }),
      'card-update': createCardUpdateProcessor({
        sessions,
        changes,
        unreachable,
        kindOf,
        showings: {
          card: createShowCard({ renderer: feishu.renderer, messages: feishu.openApi, now }),
          link: createShowMessage({ renderer: feishu.renderer, messages: feishu.openApi, now }),
        },
        renderer: feishu.renderer,
        messages: feishu.openApi,
        dropExpiry: producer.dropExpiry,
        metrics,
        logger,
        gate,
      }),
      maintenance: createMaintenanceProcessor(maintenance),
    },
    onError: (queue, error) =>
      gate.warn(`worker ${queue}`, { event: 'queue.error', queue, err: error }, 'A worker has trouble with Redis'),
    onFailed: (queue, jobId, error) =>
      gate.warn(
        `job ${queue}`,
        { event: 'queue.job_failed', queue, job_id: jobId, err: error },
        'A job failed; it is tried again',
      ),
  });
  const watch = createQueueWatch({
    queues: QUEUES,
    queue: (name) => producer.queue(name),
    nextDueAt: (name) => producer.nextDueAt(name),
    workers: pool,
    repeating: [
      { id: RECONCILE, everyMs: RECONCILE_EVERY_MS },
      { id: CLEANUP, everyMs: CLEANUP_EVERY_MS },
    ],
    onError: (error) =>
      gate.warn('queue watch', { event: 'queue.watch_failed', err: error }, 'The queues could not be looked after'),
    now,
    logger,
  });
  const firstWalk = async (): Promise<void> => {
    await watch.look();
    // Those for which no job is made here are found by the reconciler.
    const links = { redirectUri: config.oauthRedirectUri, keyId: config.encryptionKeys[0]?.id };
    const redrawing = { ...links, sessions, shownLinks: store.shownLinks, logger };
    for (const app of config.apps) await redrawLinks(redrawing, app);
    for (const appId of maintenance.appIds) await reconcile(maintenance, appId, { all: true });
  };
  // Redis may go away again right here: the repeating jobs do the same a little later.
  firstWalk().catch((error: unknown) =>
    logger.warn({ event: 'reconciler.failed', err: error }, 'The first look at open sessions failed'),
  );
  watch.start();
  const schedule = repeat(
    SCHEDULE_EVERY_MS,
    () => moveDue({ appIds: maintenance.appIds, store: grants.refreshStore, jobs: producer }),
    (error) =>
      gate.warn(
        'refresh schedule',
        { event: 'refresh.schedule_failed', err: error },
        'Due grants could not be taken; it is tried again',
      ),
  );
  const stopping = new AbortController();
  const slice = createResealSlice({ reseal: store.reseal, now, logger });
  const resealing = repeat(
    RESEAL_EVERY_MS,
    () => slice(stopping.signal),
    (error) =>
      gate.warn(
        'reseal',
        { event: 'keyring.reseal_failed', err: error },
        'Values of former keys could not be sealed again; it is tried again',
      ),
  );

  return {
    stalled: () => watch.stalled(),
    async close() {
      stopping.abort();
      watch.stop();
      for (const repeated of [schedule, resealing]) repeated.stop();
      await Promise.all([pool.close(), schedule.settled(), resealing.settled()]);
    },
  };
}
