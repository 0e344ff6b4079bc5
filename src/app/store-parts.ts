/** Everything that lives in Redis or on our disk, built in one place: connections, sessions, vault, budget, spool. */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import type { AuthdError } from '../errors.js';
import { createProducer, type Producer } from '../queue/producer.js';
import { createBudget } from '../store/budget.js';
import { type Changes, createChanges } from '../store/changes.js';
import { createEnvelope, type Envelope } from '../store/envelope.js';
import { createGrantVault, type GrantVault } from '../store/grant-vault.js';
import { createKeyring, type Keyring } from '../store/keyring.js';
import { type StoreKeys, storeKeys } from '../store/keys.js';
import { createOverview, type ReadOverview } from '../store/overview.js';
import { createProcesses, type Processes } from '../store/processes.js';
import { createRedirectStore, type RedirectStore } from '../store/redirect-store.js';
import { createRedis, type RedisUse } from '../store/redis.js';
import { createReseal, type Reseal } from '../store/reseal.js';
import { createSessionList } from '../store/session-list.js';
import { createSessionStore, type SessionStore } from '../store/session-store.js';
import { createShownLinks, type ShownLinks } from '../store/shown-links.js';
import { createSpool, type Spool } from '../store/spool.js';
import { createUnreachable, type Unreachable } from '../store/unreachable.js';
import type { FloodGate } from '../telemetry/flood-gate.js';

export interface StoreParts {
  /** Names this process among those that share the store. */
  readonly processId: string;
  readonly redis: Redis;
  readonly subscriber: Redis;
  readonly queueRedis: Redis;
  /** A connection of its own for each worker: BullMQ blocks on it. */
  readonly workerRedis: () => Redis;
  readonly keys: StoreKeys;
  readonly envelope: Envelope;
  readonly sessions: SessionStore;
  readonly redirects: RedirectStore;
  readonly shownLinks: ShownLinks;
  readonly list: ReturnType<typeof createSessionList>;
  readonly vault: GrantVault;
  readonly changes: Changes;
  readonly unreachable: Unreachable;
  readonly budget: ReturnType<typeof createBudget>;
  readonly spool: Spool;
  readonly keyring: Keyring;
  readonly processes: Processes;
  readonly overview: ReadOverview;
  readonly reseal: Reseal;
  /** Opens the queues: Redis must have answered before. */
  readonly openProducer: () => Producer;
}

export function buildStore(deps: { config: Config; logger: Logger; gate: FloodGate }): StoreParts {
  const { config, gate, logger } = deps;
  const keys = storeKeys(config.redis.keyPrefix);
  const envelope = createEnvelope(config.encryptionKeys);
  let down = false;
  const open = (use: RedisUse): Redis =>
    createRedis(use, {
      url: config.redis.url,
      onError: (failed, error) =>
        gate.warn(`redis ${kindOf(error)}`, { event: 'redis.error', use: failed, err: error }, 'Redis: trouble'),
      onState: (changed, state) => {
        if (changed !== 'store' || (state === 'close') === down) return;
        down = state === 'close';
        if (down) logger.warn({ event: 'redis.disconnected' }, 'The connection to Redis is down; it is tried again');
        else logger.info({ event: 'redis.connected' }, 'Redis is there again');
      },
    });
  const redis = open('store');
  const subscriber = open('subscriber');
  const queueRedis = open('queue');
  const sessions = createSessionStore({ redis, keys, envelope });
  const spool = createSpool({ stateDir: config.stateDir, envelope, logger });
  const processId = randomBytes(8).toString('hex');
  const onDamaged = (error: AuthdError): void =>
    logger.error(
      { event: 'record.damaged', err: error, ...error.details },
      'A sealed record does not open: it was changed or moved. It is kept aside and counts as none',
    );
  const channels = config.apps.map((app) => keys.changes(app.appId));
  return {
    processId,
    redis,
    subscriber,
    queueRedis,
    workerRedis: () => open('worker'),
    keys,
    envelope,
    sessions,
    redirects: createRedirectStore({ redis, keys, envelope }),
    shownLinks: createShownLinks({ redis, keys }),
    list: createSessionList({ redis, keys, get: sessions.get }),
    vault: createGrantVault({ redis, keys, envelope, onDamaged }),
    changes: createChanges(subscriber, channels),
    unreachable: createUnreachable({ redis, keys }),
    budget: createBudget({ redis, keys }),
    spool,
    keyring: createKeyring({ redis, keys, envelope, processId, spooled: spool.keyUses }),
    processes: createProcesses({ redis, keys }),
    overview: createOverview({ redis, keys }),
    reseal: createReseal({ redis, keys, envelope, processId, onDamaged }),
    openProducer: () =>
      createProducer({
        connection: queueRedis,
        prefix: keys.queuePrefix,
        onError: (queue, error) =>
          gate.warn(`queue ${queue}`, { event: 'queue.error', queue, err: error }, 'A queue has trouble with Redis'),
      }),
  };
}

/** What is the same each time a fault repeats; a message may hold bytes that somebody else on the port has sent. */
const kindOf = (error: Error): string =>
  'code' in error ? String(error.code) : (/^[A-Z]{3,}/.exec(error.message)?.[0] ?? error.name);
