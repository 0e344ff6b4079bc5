/**
 * Grants that were opened a moment ago, so that a token that is read again and again is not decrypted each time. What is
 * served is always what Redis holds now: every look brings the sealed value, and only one that is the same to the last
 * byte, under the same key, is taken from here. A forgotten, renewed, moved or damaged value never is.
 */
import type { StoredGrant } from '../domain/grant.js';

export interface OpenedGrants {
  /** The grant that this value of this key opened to; null: not known (any more). */
  recall(key: string, value: Buffer): StoredGrant | null;
  /** From the second time on: what is read once costs more to keep than to open. */
  keep(key: string, value: Buffer, grant: StoredGrant): void;
  /** There is no such value any more. */
  drop(key: string): void;
}

/** Some 7 KB each; the one not read for longest goes first. */
const MOST_KEPT = 1_000;

export function createOpenedGrants(most = MOST_KEPT): OpenedGrants {
  const kept = new Map<string, { readonly value: Buffer; readonly grant: StoredGrant }>();
  /** Opened once, of late. */
  const seen = new Map<string, true>();

  return {
    recall(key, value) {
      const known = kept.get(key);
      if (known === undefined) return null;
      kept.delete(key);
      if (!known.value.equals(value)) return null;
      kept.set(key, known);
      return known.grant;
    },

    keep(key, value, grant) {
      if (!seen.delete(key)) return putLast(seen, key, true, most);
      // A copy: ioredis gives a view into all that came with it.
      putLast(kept, key, { value: Buffer.from(value), grant }, most);
    },

    drop(key) {
      kept.delete(key);
    },
  };
}

function putLast<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
