/**
 * The walk that seals everything with the first key: one small batch at a time, its progress in Redis, so that any
 * process goes on where another one was killed. One process at a time holds the lease; that two work at once does no
 * harm. When to take the next batch is the caller's business (processors/reseal.ts), what to do next the domain's.
 *
 * What a pass proves: SCAN shows every key that is there from its beginning to its end, as long as the same Redis
 * runs. Where it was restarted, cursors mean nothing and the pass begins again.
 */
import type { Redis } from 'ioredis';
import { nextResealStep, type ResealPass, type ResealStep, unusedAfter, usesAfter } from '../domain/keyring.js';
import { AuthdError } from '../errors.js';
import { GONE_MS, keyringKeys, readKeyring } from './keyring.js';
import type { StoreKeys } from './keys.js';
import { type ResealValueDeps, resealValue } from './reseal-value.js';
import { finishPassScript, releaseLeaseScript, savePassScript } from './scripts/keyring.js';
import { findSealed, type SealedValue } from './sealed-values.js';

/** Keys that one SCAN looks at: a few milliseconds for Redis and for us. */
const BATCH = 100;
/** Longer than a batch takes; a killed process holds the next one up for no longer. */
const LEASE_MS = 5_000;

export interface Reseal {
  /** Takes the lease where there is something to do. `busy`: another process does it. */
  begin(): Promise<ResealBegin>;
  /** The pass after its next batch; null: the lease was lost. */
  step(pass: ResealPass): Promise<ResealProgress | null>;
  /** Lets another process go on at once. */
  release(): Promise<void>;
}

export type ResealBegin =
  | { readonly kind: 'nothing' | 'busy' }
  | { readonly kind: 'wait'; readonly keyId: string }
  | { readonly kind: 'go'; readonly pass: ResealPass };

export interface ResealProgress {
  readonly pass: ResealPass;
  /** It has seen everything. */
  readonly isOver: boolean;
  /** Keys that count as unused from now on. */
  readonly dropped: readonly string[];
}

export interface ResealDeps extends ResealValueDeps {
  readonly keys: StoreKeys;
  readonly processId: string;
  /** Milliseconds; only tests shorten it (keyring.ts). */
  readonly goneMs?: number;
}

export function createReseal(deps: ResealDeps): Reseal {
  const { envelope, goneMs = GONE_MS, keys, processId, redis } = deps;
  const [target = ''] = envelope.keyIds;

  const save = async (pass: ResealPass, used: Iterable<string> = []): Promise<boolean> => {
    const checks = [...used].flatMap((id) => [id, envelope.checkValue(id)]);
    return (
      (await savePassScript(redis, keyringKeys(keys), [processId, LEASE_MS, JSON.stringify(pass), ...checks])) === 1
    );
  };

  const fresh = async (number: number, startedAt: number, runId: string): Promise<ResealPass> => ({
    number,
    targetKeyId: target,
    startedAt,
    finishedAt: null,
    cursor: '0',
    runId,
    done: 0,
    total: await redis.dbsize(),
    changed: false,
    resealed: 0,
    aside: 0,
    found: {},
    left: {},
  });

  const passFor = async (
    step: Extract<ResealStep, { kind: 'continue' | 'start' }>,
    now: number,
  ): Promise<ResealPass> => {
    const runId = await readRunId(redis);
    if (step.kind === 'start') return await fresh(step.number, now, runId);
    return step.pass.runId === runId ? step.pass : await fresh(step.pass.number, now, runId);
  };

  /** Seals again what needs it, side by side, and counts. */
  const resealAll = async (pass: ResealPass, values: readonly SealedValue[]): Promise<ResealPass> => {
    const outcomes = await Promise.all(values.map((value) => resealValue(deps, value)));
    const count = (outcome: string): number => outcomes.filter((one) => one === outcome).length;
    return { ...pass, resealed: pass.resealed + count('resealed'), aside: pass.aside + count('aside') };
  };

  const finish = async (pass: ResealPass): Promise<ResealProgress | null> => {
    const { view } = await readKeyring(redis, keys, { goneMs });
    const candidates = unusedAfter(pass, view.registered);
    const args = [
      processId,
      JSON.stringify(pass),
      pass.startedAt,
      JSON.stringify(usesAfter(pass)),
      goneMs,
      ...candidates,
    ];
    const [ours, dropped] = (await finishPassScript(redis, keyringKeys(keys), args)) as [number, string[]];
    return ours === 1 ? { pass, isOver: true, dropped } : null;
  };

  const release = async (): Promise<void> => {
    await releaseLeaseScript(redis, keyringKeys(keys), [processId]);
  };

  return {
    async begin() {
      const look = await readKeyring(redis, keys, { goneMs });
      const idle = nextResealStep(look.view, target);
      if (idle.kind === 'nothing') return { kind: 'nothing' };
      if (idle.kind === 'wait') return { kind: 'wait', keyId: target };
      // Once more with the lease: another process may have done it all meanwhile.
      const { isOurs, view } = await readKeyring(redis, keys, {
        goneMs,
        lease: { owner: processId, ms: LEASE_MS },
      });
      if (!isOurs) return { kind: 'busy' };
      const step = nextResealStep(view, target);
      if (step.kind === 'nothing' || step.kind === 'wait') {
        await release();
        return { kind: 'nothing' };
      }
      return { kind: 'go', pass: await passFor(step, view.now) };
    },

    async step(before) {
      const [cursor, names] = await redis.scan(before.cursor, 'MATCH', keys.ofAnyApp, 'COUNT', BATCH);
      const { aside, values } = await findSealed(redis, names);
      const former = values.filter(({ keyId }) => keyId !== target);
      const openable = former.filter(({ keyId }) => keyId === null || envelope.keyIds.includes(keyId));
      const used = new Set(openable.flatMap(({ keyId }) => (keyId === null ? [] : [keyId])));
      // Said before it is done: a pass that a killed process has begun must not pass for one that found nothing.
      if (openable.length > 0 && !(await save({ ...before, changed: true }, used))) return null;
      const changed = before.changed || openable.length > 0;
      const left = former.filter((value) => !openable.includes(value));
      const pass = await resealAll(
        {
          ...before,
          cursor,
          changed,
          aside: before.aside + aside,
          done: cursor === '0' ? before.total : Math.min(before.done + BATCH, before.total),
          found: tally(before.found, values),
          left: tally(before.left, left),
        },
        openable,
      );
      const runId = await readRunId(redis);
      if (runId !== before.runId) {
        const again = { ...(await fresh(before.number, before.startedAt, runId)), changed };
        return (await save(again)) ? { pass: again, isOver: false, dropped: [] } : null;
      }
      if (cursor === '0') return await finish(pass);
      return (await save(pass)) ? { pass, isOver: false, dropped: [] } : null;
    },

    release,
  };
}

function tally(counts: Readonly<Record<string, number>>, values: readonly SealedValue[]): Record<string, number> {
  const sum = { ...counts };
  for (const { keyId } of values) if (keyId !== null) sum[keyId] = (sum[keyId] ?? 0) + 1;
  return sum;
}

/** Another one after each start of Redis, and on each replica. @throws AuthdError when Redis does not say */
async function readRunId(redis: Redis): Promise<string> {
  const runId = /^run_id:(\w+)/m.exec(await redis.info('server'))?.[1];
  if (runId === undefined) throw new AuthdError('redis_unsuitable', 'Redis does not tell its run_id');
  return runId;
}
