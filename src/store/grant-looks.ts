/**
 * Reads the raw records of grants: the sealed value, the hash beside it, Redis's clock. Looks of one turn of the event
 * loop share one MGET, one TIME and one write: under load a look costs little more than one command. Opens nothing and
 * keeps nothing.
 */
import type { Redis } from 'ioredis';
import type { StoreKeys } from './keys.js';
import { gatherWrites } from './script.js';

export interface RawGrant {
  /** `<generation>:<sealed>`; null: there is no grant. */
  readonly value: Buffer | null;
  /** Fields of the hash beside it; none: an empty object. */
  readonly marks: Readonly<Record<string, string>>;
  /** Milliseconds, by Redis's clock, not before the value was read. */
  readonly now: number;
}

export type LookAtGrant = (appId: string, openId: string) => Promise<RawGrant>;

interface Waiting {
  readonly key: string;
  readonly resolve: (raw: Promise<RawGrant>) => void;
}

/** Of a few KB each: a reply stays within what Redis sends without holding up others. */
const MOST_AT_ONCE = 64;

/** @throws what ioredis throws when Redis does not answer */
export function createGrantLooks(redis: Redis, keys: Pick<StoreKeys, 'grant'>): LookAtGrant {
  /** By app: on a cluster each has a slot of its own. */
  const waiting = new Map<string, Waiting[]>();

  const lookAt = (batch: readonly Waiting[]): void => {
    gatherWrites(redis);
    const values = redis.mgetBuffer(batch.map(({ key }) => key));
    const marks = batch.map(({ key }) => redis.hgetall(`${key}:state`));
    const time = redis.time();
    for (const [i, { resolve }] of batch.entries()) resolve(rawGrant(i, values, marks[i] ?? NO_MARKS, time));
  };

  const lookAtAll = (): void => {
    for (const [appId, all] of waiting) {
      waiting.delete(appId);
      for (let from = 0; from < all.length; from += MOST_AT_ONCE) lookAt(all.slice(from, from + MOST_AT_ONCE));
    }
  };

  return (appId, openId) =>
    new Promise((resolve) => {
      if (waiting.size === 0) setImmediate(lookAtAll);
      const look = { key: keys.grant(appId, openId), resolve };
      const others = waiting.get(appId);
      if (others === undefined) waiting.set(appId, [look]);
      else others.push(look);
    });
}

const NO_MARKS = Promise.resolve({});

async function rawGrant(
  index: number,
  values: Promise<(Buffer | null)[]>,
  marks: Promise<Record<string, string>>,
  time: Promise<number[]>,
): Promise<RawGrant> {
  const [all, beside, [seconds, microseconds]] = await Promise.all([values, marks, time]);
  return {
    value: all[index] ?? null,
    marks: beside,
    now: Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000),
  };
}
