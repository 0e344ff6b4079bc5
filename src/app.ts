/**
 * Composition root: builds every part, in order, with what it needs; registers who closes it; start and stop. Nothing
 * else. Order of start: HTTP (so that health can be asked from the first moment), Redis and its checks, queues,
 * workers, the long connections last. Stop is the reverse: clicks in hand are answered first.
 */
import type { Logger } from 'pino';
import { buildCallback } from './app/callback-parts.js';
import { buildCardCallbacks } from './app/card-callback-parts.js';
import { buildClicks, type ClickParts } from './app/click-parts.js';
import { buildConnections } from './app/connection-parts.js';
import { buildFeishu } from './app/feishu-parts.js';
import { buildGrants } from './app/grant-parts.js';
import { buildHttp, closeServers, listen } from './app/http-parts.js';
import { createLateProducer } from './app/late-producer.js';
import type { Explain } from './app/meanings.js';
import { buildMetrics } from './app/metrics-parts.js';
import { createReadiness } from './app/readiness.js';
import { buildRedirects } from './app/redirect-parts.js';
import { buildStore } from './app/store-parts.js';
import { createStoreWatch } from './app/store-watch.js';
import { buildWatching } from './app/watching-parts.js';
import { buildWorkers, type WorkerParts } from './app/worker-parts.js';
import type { Config } from './config/config.js';
import type { AskRequest, AskResult } from './domain/ask.js';
import type { Trouble } from './domain/fleet.js';
import { loadCards } from './feishu/cards/load-cards.js';
import type { LongConnection } from './feishu/long-connection/long-connection.js';
import type { LongConnectionStatus } from './feishu/long-connection/status.js';
import { createAsk } from './flow/ask.js';
import { createHints } from './flow/hints.js';
import { type ClosingReport, createClosingStack } from './lifecycle.js';
import { whenReady } from './store/redis.js';
import { createFloodGate } from './telemetry/flood-gate.js';

export interface AppDeps {
  readonly config: Config;
  readonly logger: Logger;
  /** Folder of the card templates. */
  readonly cardsDir: string;
  /** Folder of the status page. */
  readonly statusPageDir: string;
  readonly version: string;
  /** What went wrong lately, as the log has it. */
  readonly troubles: () => readonly Trouble[];
  /** What codes and events mean, for the status page. */
  readonly explain: Explain;
  /** Called once, when HTTP is served: health can be asked from now on, whether or not Redis and Feishu are there. */
  readonly onServing: () => void;
}

export interface App {
  /**
   * Resolves when everything runs; a Redis or Feishu that is away is waited for. @throws AuthdError with a remedy when
   * cards, keys, Redis' settings or a port make a start pointless; everything opened so far is closed then.
   */
  start(): Promise<void>;
  /** Shared by all who call it. Never rejects. */
  stop(): Promise<ClosingReport>;
}

const FLOOD_EVERY_MS = 30_000;
/** Until Feishu has told the names of all apps. */
const NAMES_EVERY_MS = 30_000;
/** Apps do not call Feishu in the same moment. */
const STAGGER_MS = 200;

export function createApp(deps: AppDeps): App {
  const { config, logger } = deps;
  const now = (): number => Date.now();
  const random = Math.random;
  const stack = createClosingStack(logger);
  const stopping = new AbortController();
  const shutdownMs = config.shutdownTimeoutSeconds * 1000;
  const gate = createFloodGate({ logger, clock: now, everyMs: FLOOD_EVERY_MS });
  const metrics = buildMetrics(config, deps.version);
  const { counts } = metrics;
  const has = (role: (typeof config.roles)[number]): boolean => config.roles.includes(role);

  const run = async (): Promise<void> => {
    const cards = await loadCards(deps.cardsDir);
    const store = buildStore({ config, logger, gate });
    await store.spool.prepare();
    stack.push({
      name: 'redis',
      deadlineMs: 500,
      async close() {
        store.changes.stop();
        // Nobody seals anything any more.
        await store.keyring.leave();
        for (const redis of [store.redis, store.subscriber, store.queueRedis]) redis.disconnect();
      },
    });
    const feishu = buildFeishu({ config, cards, budget: store.budget, metrics: counts, logger, clock: now, random });
    stack.push({ name: 'feishu', deadlineMs: 500, close: () => feishu.close() });

    const lateProducer = createLateProducer();
    const { jobs, reached: requireRedis } = lateProducer;
    let workers: WorkerParts | null = null;
    const connections: LongConnection[] = [];
    const statuses = (): LongConnectionStatus[] => connections.map((connection) => connection.status());
    const stalledQueues = (): readonly string[] => workers?.stalled() ?? [];
    const readiness = createReadiness({
      roles: config.roles,
      redis: store.redis,
      probeKey: `${config.redis.keyPrefix}:probe`,
      started: () => lateProducer.current() !== null,
      connections: statuses,
      stalledQueues,
      now,
    });
    const hints = createHints(logger);
    const grants = buildGrants({
      config,
      store,
      feishu,
      jobs,
      hints,
      isStopping: () => stopping.signal.aborted,
      metrics: counts,
      logger,
      now,
      random,
    });
    // After everything that may begin a refresh has stopped.
    stack.push({
      name: 'refreshes',
      deadlineMs: Math.max(1_000, shutdownMs - 1_500),
      close: () => grants.refresh.settled(),
    });
    const ask = (request: AskRequest): Promise<AskResult> =>
      createAsk({
        ...store,
        status: grants.grants.status,
        producer: lateProducer.required(),
        hints,
        seesEveryGrant: (id) => config.clients.find((client) => client.id === id)?.actions.includes('admin') === true,
        cardLimitPerHour: config.cards.limitPerUserPerHour,
        metrics: counts,
        now,
        logger,
      })(request);
    const clicks = buildClicks({
      config,
      store,
      feishu,
      grants,
      jobs,
      requireRedis,
      hints,
      isStopping: () => stopping.signal.aborted,
      metrics: counts,
      now,
      logger,
    });
    const { presence, ...watching } = buildWatching({
      ...deps,
      store,
      metrics,
      producer: lateProducer.current,
      connections: statuses,
      stalledQueues,
      gate,
      now,
    });
    stack.push({ name: 'presence', deadlineMs: 800, close: () => presence.stop() });
    const servers = await buildHttp({
      ...deps,
      store,
      readiness,
      ...watching,
      metrics: counts,
      now,
      jobs,
      requireRedis,
      hints,
      grants: grants.grants,
      forget: grants.forget.byClient,
      ask,
    });
    const { routes, settled } = buildCardCallbacks({
      config,
      store,
      requireRedis,
      receive: clicks.receive,
      hints,
      metrics: counts,
      gate,
      now,
      logger,
    });
    const callback = await buildCallback({
      config,
      routes,
      cards,
      links: feishu.links,
      receiveRedirect: buildRedirects({ store, feishu, jobs, requireRedis, hints, metrics: counts, now, logger }),
      metrics: counts,
      logger,
    });
    stack.push({
      name: 'http',
      deadlineMs: Math.min(1_500, shutdownMs / 4),
      close: () => closeServers([...servers, ...callback]),
    });
    await listen(servers, config.http.host, logger);
    await listen(callback, config.callbackServer.host, logger);
    deps.onServing();

    const { drainSpool, noteRun } = grants;
    const watch = createStoreWatch({ config, store, drainSpool, noteRun, gate, logger });
    await watch.firstContact(stopping.signal);
    await Promise.all([store.subscriber, store.queueRedis].map((redis) => whenReady(redis, stopping.signal)));
    await store.changes.start();
    const opened = store.openProducer();
    stack.push({ name: 'queues', deadlineMs: 500, close: () => opened.close() });
    lateProducer.arrived(opened);
    watch.start();
    presence.start();
    stack.push({ name: 'store watch', deadlineMs: 100, close: () => watch.stop() });
    const learnNames = (): void =>
      hints.add(async () => {
        await feishu.learnNames();
      });
    learnNames();
    const learning = setInterval(learnNames, NAMES_EVERY_MS);
    stack.push({ name: 'names', deadlineMs: 100, close: () => clearInterval(learning) });

    if (has('worker')) {
      workers = await buildWorkers({
        config,
        store,
        feishu,
        grants,
        ask,
        producer: opened,
        metrics: counts,
        gate,
        logger,
        now,
        random,
      });
      const parts = workers;
      stack.push({
        name: 'workers',
        deadlineMs: Math.max(shutdownMs / 2, shutdownMs - 1_500),
        close: () => parts.close(),
      });
    }
    // After what makes jobs of them has been pushed: clicks in hand are answered first.
    stack.push({
      name: 'acks',
      deadlineMs: 2_000,
      async close() {
        await settled();
        await clicks.clicks.settled();
      },
    });
    if (has('gateway')) connect(clicks, connections, presence.changed);
    logger.info(
      { event: 'daemon.started', roles: config.roles, apps: config.apps.map((app) => app.appId) },
      'feishu-authd runs',
    );
  };

  const connect = ({ receive }: ClickParts, connections: LongConnection[], onChange: () => void): void => {
    connections.push(...buildConnections({ config, receive, onChange, metrics: counts, logger, random, now }));
    const drainMs = Math.min(3_000, shutdownMs / 2);
    stack.push({
      name: 'long connections',
      deadlineMs: drainMs + 500,
      async close() {
        await Promise.all(connections.map((connection) => connection.stop(drainMs)));
      },
    });
    for (const [i, connection] of connections.entries()) connection.start(i * STAGGER_MS);
  };

  let starting: Promise<void> | null = null;
  return {
    start() {
      starting ??= run().catch(async (error: unknown) => {
        await stack.stop();
        if (!stopping.signal.aborted) throw error;
      });
      return starting;
    },
    async stop() {
      stopping.abort();
      await starting?.catch(() => undefined);
      return await stack.stop();
    },
  };
}
