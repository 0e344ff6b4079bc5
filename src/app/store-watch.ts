/**
 * Looks after the store while the daemon runs: first contact (waits for ever, refuses what would lose grants), then
 * every half minute and after each reconnection whether it is still the same store with the same settings; tells the
 * keyring that we are there; and drains the spool.
 */
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { AuthdError } from '../errors.js';
import { installId, persistenceWarnings, readRedisFacts, refuseEviction } from '../store/redis-checks.js';
import type { FloodGate } from '../telemetry/flood-gate.js';
import { type Repeated, repeat } from './repeat.js';
import type { StoreParts } from './store-parts.js';

export interface StoreWatch {
  /** Resolves after the first contact. @throws AuthdError `redis_unsuitable`, `key_mismatch`; never for a Redis that is away */
  firstContact(signal: AbortSignal): Promise<void>;
  start(): void;
  stop(): void;
}

export interface StoreWatchDeps {
  readonly config: Config;
  readonly store: StoreParts;
  readonly drainSpool: () => Promise<void>;
  /** Notices that it is another run of Redis. */
  readonly noteRun: () => Promise<void>;
  readonly gate: FloodGate;
  readonly logger: Logger;
}

const CHECK_EVERY_MS = 30_000;
const DRAIN_EVERY_MS = 1_000;
const CONTACT_EVERY_MS = 200;
const BEAT_EVERY_MS = 30_000;

export function createStoreWatch(deps: StoreWatchDeps): StoreWatch {
  const { config, gate, logger, store } = deps;
  let known: string | null = null;
  /** Keys of the store that do not fit ours, each said once. */
  const unfit = new Set<string>();
  const running: Repeated[] = [];
  let checkNow: () => void = () => undefined;

  const lookOnce = async (): Promise<void> => {
    const facts = await readRedisFacts(store.redis);
    refuseEviction(facts, config.redis.allowEviction);
    if (config.redis.allowEviction && facts.maxmemoryPolicy !== 'noeviction') {
      logger.warn(
        { event: 'redis.eviction_allowed', policy: facts.maxmemoryPolicy },
        'Redis may evict grants: REDIS_ALLOW_EVICTION is set',
      );
    }
    await store.keyring.join();
    await deps.noteRun();
    known = await installId(store.redis, store.keys);
    for (const warning of persistenceWarnings(facts)) logger.warn({ event: 'redis.persistence' }, warning);
    logger.info({ event: 'redis.ready', version: facts.version, append_only: facts.appendOnly }, 'Redis is there');
  };

  const recheck = async (): Promise<void> => {
    await deps.noteRun();
    const facts = await readRedisFacts(store.redis);
    try {
      refuseEviction(facts, config.redis.allowEviction);
    } catch (error) {
      logger.error(
        { event: 'redis.unsuitable', err: error },
        'Redis would evict grants now: its settings have changed',
      );
    }
    const present = await installId(store.redis, store.keys);
    if (known !== null && present !== known) {
      const remedy = 'restore a backup, or let users authorize again; turn append-only persistence on';
      logger.error({ event: 'store.lost' }, `Redis has lost what it held (sessions and grants): ${remedy}`);
      await beat();
      known = present;
    }
  };

  const beat = async (): Promise<void> => {
    if (store.redis.status !== 'ready') return;
    const { missing, wrong } = await store.keyring.beat();
    for (const id of unfit) if (!missing.includes(id) && !wrong.includes(id)) unfit.delete(id);
    for (const id of [...missing, ...wrong]) {
      if (unfit.has(id)) continue;
      unfit.add(id);
      const what = missing.includes(id) ? 'a key this process does not have' : 'another key of this name';
      const remedy = 'give all processes the same TOKEN_ENCRYPTION_KEYS';
      logger.error(
        { event: 'keyring.key_missing', key_id: id },
        `The store is written with "${id}", ${what}: ${remedy}`,
      );
    }
  };

  const drain = async (): Promise<void> => {
    if (store.redis.status === 'ready') await deps.drainSpool();
  };

  const often = (everyMs: number, task: () => Promise<void>, what: string): Repeated => {
    const repeated = repeat(everyMs, task, (error) =>
      gate.warn(
        what,
        { event: 'store.watch_failed', what, err: error },
        'The store could not be looked after; it is tried again',
      ),
    );
    running.push(repeated);
    return repeated;
  };

  return {
    async firstContact(signal) {
      for (;;) {
        signal.throwIfAborted();
        try {
          if (store.redis.status === 'wait') await store.redis.connect();
          return await lookOnce();
        } catch (error) {
          if (error instanceof AuthdError) throw error;
          gate.warn(
            'first contact',
            { event: 'redis.away', err: error },
            'Redis is not there yet; the daemon waits for it',
          );
          await new Promise((resolve) => setTimeout(resolve, CONTACT_EVERY_MS));
        }
      }
    },
    start() {
      checkNow = often(CHECK_EVERY_MS, recheck, 'check').now;
      store.redis.on('ready', checkNow);
      often(BEAT_EVERY_MS, beat, 'keyring');
      // At once: what a daemon before this one has left must be there before its sessions are polled again.
      often(DRAIN_EVERY_MS, drain, 'drain').now();
    },
    stop() {
      store.redis.off('ready', checkNow);
      for (const repeated of running) repeated.stop();
    },
  };
}
