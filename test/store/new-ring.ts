/** A process as the store sees it: the parts that seal and those that look after keys, over one ring. */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { EncryptionKey } from '../../src/config/config.js';
import { createEnvelope } from '../../src/store/envelope.js';
import { createGrantVault } from '../../src/store/grant-vault.js';
import { createKeyring } from '../../src/store/keyring.js';
import type { StoreKeys } from '../../src/store/keys.js';
import { createReseal, type ResealProgress } from '../../src/store/reseal.js';
import { createSessionStore } from '../../src/store/session-store.js';
import { tokens } from './new-store.js';

export const newKey = (id: string): EncryptionKey => ({ id, key: randomBytes(32) });

export interface RingOptions {
  readonly goneMs?: number;
  readonly spooled?: () => Promise<Record<string, number>>;
  /** Called after a value was put aside. */
  readonly onDamaged?: () => void;
}

export function newRing(redis: Redis, keys: StoreKeys, ring: readonly EncryptionKey[], options: RingOptions = {}) {
  const envelope = createEnvelope(ring);
  const processId = randomBytes(4).toString('hex');
  /** What was put aside, by its owner. */
  const damaged: unknown[] = [];
  const common = { redis, keys, envelope, processId, goneMs: options.goneMs ?? 60_000 };
  const onDamaged = (error: { readonly details: Readonly<Record<string, unknown>> }): void => {
    damaged.push(error.details['owner']);
    options.onDamaged?.();
  };
  const reseal = createReseal({ ...common, onDamaged });
  return {
    envelope,
    damaged,
    keyring: createKeyring({ ...common, spooled: options.spooled ?? (async () => ({})) }),
    reseal,
    sessions: createSessionStore({ redis, keys, envelope }),
    vault: createGrantVault({ redis, keys, envelope, onDamaged }),

    /** Walks until there is nothing more to do. The finished passes. */
    async walk(): Promise<ResealProgress[]> {
      const passes: ResealProgress[] = [];
      for (let begun = await reseal.begin(); begun.kind === 'go'; begun = await reseal.begin()) {
        let progress: ResealProgress | null = { pass: begun.pass, isOver: false, dropped: [] };
        while (progress !== null && !progress.isOver) progress = await reseal.step(progress.pass);
        if (progress !== null) passes.push(progress);
      }
      await reseal.release();
      return passes;
    },

    /** A grant as `settle` writes it. */
    async grant(appId: string, openId: string, generation = 1_000): Promise<void> {
      await redis.set(keys.grant(appId, openId), this.grantValue(appId, openId, generation));
    },

    grantValue(appId: string, openId: string, generation: number): Buffer {
      const grant = { tokens: tokens(), authorizedAt: generation, clientIds: ['reports'] };
      const sealed = envelope.seal(JSON.stringify(grant), { appId, owner: openId, purpose: 'grant', generation });
      return Buffer.concat([Buffer.from(`${generation}:`), sealed]);
    },
  };
}

/** How often a key id stands in front of a sealed value, anywhere in this Redis. */
export async function countSealedWith(redis: Redis, keyId: string): Promise<number> {
  const header = Buffer.concat([Buffer.from([1, keyId.length]), Buffer.from(keyId)]);
  let count = 0;
  for (const name of await redis.keys('*')) {
    const type = await redis.type(name);
    const values = type === 'string' ? [await redis.getBuffer(name)] : [];
    if (type === 'hash') {
      for (const text of Object.values(await redis.hgetall(name))) values.push(Buffer.from(text, 'base64'));
    }
    for (const value of values) if (value?.subarray(0, 64).includes(header) === true) count += 1;
  }
  return count;
}

/** DUMP of every key, for comparing. */
export async function dumpOf(redis: Redis): Promise<Map<string, string>> {
  const names = (await redis.keys('*')).toSorted();
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, (await redis.dumpBuffer(name))?.toString('hex') ?? ''] as const),
    ),
  );
}
