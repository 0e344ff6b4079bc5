/**
 * This process's keyring beside what the store has been written with (CONTRACT §9): joins at the start, tells of
 * itself while it runs, leaves at the end. So a key counts as needed for as long as anything or anybody may use it.
 * Moving values to another key is reseal.ts's.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type KeyringStatus, type KeyringView, keyringStatus, type SealingProcess } from '../domain/keyring.js';
import { AuthdError } from '../errors.js';
import type { Envelope } from './envelope.js';
import type { StoreKeys } from './keys.js';
import { announceScript, leaveScript, viewScript } from './scripts/keyring.js';

/** A process that was not heard of for so long has died, or is frozen: it cannot seal. */
export const GONE_MS = 180_000;

const LEAVE_MS = 300;

/** Key ids that the store knows and this process lacks, or has with another value. */
export interface KeyringGap {
  readonly missing: readonly string[];
  readonly wrong: readonly string[];
}

export interface Keyring {
  /** Registers the key we seal with. @throws AuthdError `key_mismatch`; the store is left as it was */
  join(): Promise<void>;
  /** We are still there. Says what does not fit (any more): another process may have brought a new key. */
  beat(): Promise<KeyringGap>;
  /** We seal nothing more. Never rejects, and takes no longer than a moment: one that cannot say so counts as gone soon. */
  leave(): Promise<void>;
  status(): Promise<KeyringStatus>;
}

export interface KeyringDeps {
  readonly redis: Redis;
  readonly keys: StoreKeys;
  readonly envelope: Pick<Envelope, 'keyIds' | 'checkValue'>;
  /** Names this process among those that share the store. */
  readonly processId: string;
  /** Entries of the spool, by key id. */
  readonly spooled: () => Promise<Readonly<Record<string, number>>>;
  /** Milliseconds; only tests shorten it. */
  readonly goneMs?: number;
}

export function createKeyring(deps: KeyringDeps): Keyring {
  const { envelope, goneMs = GONE_MS, keys, processId, redis } = deps;
  const [first = ''] = envelope.keyIds;
  let startedAt = 0;
  let spooled: Readonly<Record<string, number>> = {};

  const announce = async (how: 'join' | 'beat'): Promise<KeyringGap> => {
    // A folder that cannot be read now must not make the others believe that we are gone.
    spooled = await deps.spooled().catch(() => spooled);
    const note = { seals: first, ring: envelope.keyIds, spooled };
    const ring = envelope.keyIds.flatMap((id) => [id, envelope.checkValue(id)]);
    const args = [processId, how, goneMs, startedAt, JSON.stringify(note), ...ring];
    const [started, missing, wrong] = (await announceScript(redis, keyringKeys(keys), args)) as Announced;
    startedAt = started;
    return { missing, wrong };
  };

  return {
    async join() {
      const { missing, wrong } = await announce('join');
      for (const id of missing) throw missingKey(id);
      for (const id of wrong) throw wrongKey(id);
    },
    beat: () => announce('beat'),
    async leave() {
      if (redis.status !== 'ready') return;
      const left = leaveScript(redis, keyringKeys(keys), [processId, first, goneMs]).catch(() => undefined);
      await Promise.race([left, sleep(LEAVE_MS, undefined, { ref: false })]);
    },
    async status() {
      const { view } = await readKeyring(redis, keys, { goneMs });
      return keyringStatus(view, envelope.keyIds);
    },
  };
}

type Announced = readonly [started: number, missing: readonly string[], wrong: readonly string[]];

const missingKey = (id: string): AuthdError =>
  new AuthdError(
    'key_mismatch',
    `TOKEN_ENCRYPTION_KEYS: the store was written with key "${id}", which is not configured`,
    { remedy: `Add key "${id}" to TOKEN_ENCRYPTION_KEYS again (it may stand behind the first).` },
  );

const wrongKey = (id: string): AuthdError =>
  new AuthdError(
    'key_mismatch',
    `TOKEN_ENCRYPTION_KEYS: key "${id}" is not the key of that name that the store was written with`,
    { remedy: `Configure the former value of key "${id}", or give the new key another id.` },
  );

export const keyringKeys = (keys: StoreKeys): string[] => [
  keys.keyChecks,
  keys.keySealing,
  keys.keyProcesses,
  keys.keyReseal,
];

/** What the store knows of keys, in one look; with `lease`, whether that is the asker's from now on. */
export async function readKeyring(
  redis: Redis,
  keys: StoreKeys,
  options: { readonly goneMs: number; readonly lease?: { readonly owner: string; readonly ms: number } },
): Promise<{ readonly view: KeyringView; readonly isOurs: boolean }> {
  const { goneMs, lease } = options;
  const reply = await viewScript(redis, keyringKeys(keys), [lease?.owner ?? '', lease?.ms ?? 0]);
  const [now, checks, sealing, processes, [pass, finishedAt, uses], taken] = reply as RawView;
  const view: KeyringView = {
    now,
    registered: pairs(checks).map(([id]) => id),
    busyUntil: Object.fromEntries(pairs(sealing).map(([id, until]) => [id, Number(until)])),
    processes: pairs(processes).flatMap(([, text]) => parseProcess(text, now - goneMs)),
    pass: pass ? { ...JSON.parse(pass), finishedAt: finishedAt ? Number(finishedAt) : null } : null,
    uses: uses ? (JSON.parse(uses) as Record<string, number>) : null,
  };
  return { view, isOurs: taken === 1 };
}

type RawView = readonly [
  now: number,
  checks: readonly string[],
  sealing: readonly string[],
  processes: readonly string[],
  pass: readonly (string | null)[],
  taken: number,
];

/** `<last heard of> <started> <JSON>`; nothing when it was not heard of since. */
function parseProcess(text: string, since: number): SealingProcess[] {
  const [, seenAt, startedAt, json = '{}'] = /^(\d+) (\d+) (.*)$/.exec(text) ?? [];
  if (Number(seenAt) < since) return [];
  return [{ ...(JSON.parse(json) as Omit<SealingProcess, 'startedAt'>), startedAt: Number(startedAt) }];
}

/** `HGETALL` inside a script gives a flat list. */
const pairs = (flat: readonly string[]): [string, string][] =>
  flat.flatMap((key, i) => (i % 2 === 0 ? [[key, flat[i + 1] ?? ''] as [string, string]] : []));
