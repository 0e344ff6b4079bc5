/**
 * Where sealed values lie in Redis, and which key each is sealed with. Whoever seals something of a new kind adds its
 * place here, else its key could be taken away from it. (The spool is on disk and looks after its own.)
 *
 * <base>:grant:<open_id>              `<generation>:<sealed>`
 * <base>:session:<id>:tokens          `<link number>:<sealed>`
 * <base>:session:<id>                 hash, its fields `text` and `link` in base64
 * …:damaged:<generation>, <field>:damaged   put aside, left alone
 */
import type { Redis } from 'ioredis';
import { appOfSession } from '../domain/session-id.js';
import { keyIdOf, SEAL_HEADER_BYTES, type SealContext } from './envelope.js';

export interface SealedValue {
  readonly key: string;
  /** Of a hash; null: the value is all there is under the key. */
  readonly field: 'text' | 'link' | null;
  /** Its generation is read with the value. */
  readonly context: Omit<SealContext, 'generation'>;
  /** null: it is no sealed value any more. */
  readonly keyId: string | null;
}

export interface Found {
  readonly values: readonly SealedValue[];
  /** How many lie aside. */
  readonly aside: number;
}

type Place =
  | { readonly kind: 'string'; readonly key: string; readonly context: SealedValue['context'] }
  | { readonly kind: 'session'; readonly key: string; readonly appId: string; readonly sessionId: string };

/** The number in front of it has at most 16 digits. */
const HEAD_BYTES = 17 + SEAL_HEADER_BYTES;
/** In base64. */
const FIELD_HEAD_CHARACTERS = Math.ceil(SEAL_HEADER_BYTES / 3) * 4;
const FIELDS = ['text', 'link', 'text:damaged', 'link:damaged'] as const;
const NAME = /\{(cli_\w+)\}:(grant|session):([^:]+)(:.+)?$/;
const ASIDE = /^(:tokens)?:damaged:/;

/** What lies under these names, by the heads of the values: most of them need no closer look. */
export async function findSealed(redis: Redis, names: readonly string[]): Promise<Found> {
  const places = names.flatMap(placeOf);
  const values: SealedValue[] = [];
  let aside = names.filter((name) => ASIDE.test(NAME.exec(name)?.[4] ?? '')).length;
  const pipeline = redis.pipeline();
  for (const { key, kind } of places) {
    if (kind === 'string') pipeline.getrangeBuffer(key, 0, HEAD_BYTES - 1);
    else pipeline.hmget(key, ...FIELDS);
  }
  const replies = (await pipeline.exec()) ?? [];
  for (const [i, place] of places.entries()) {
    const reply = replyOf(replies[i]);
    if (place.kind === 'string') values.push(...headOf(place.key, place.context, reply));
    else if (Array.isArray(reply)) {
      const [text, link, ...damaged] = reply;
      const context = { appId: place.appId, owner: place.sessionId };
      values.push(...fieldOf(place.key, 'text', { ...context, purpose: 'session-text' }, text));
      values.push(...fieldOf(place.key, 'link', { ...context, purpose: 'session-link' }, link));
      aside += damaged.filter((value) => value !== null).length;
    }
  }
  return { values, aside };
}

/** A key of another type than ours is not ours. @throws whatever else Redis says, or that it does not answer */
function replyOf(result: readonly [Error | null, unknown] | undefined): unknown {
  const [error, reply] = result ?? [null, null];
  if (error === null) return reply;
  if (error.message.startsWith('WRONGTYPE')) return null;
  throw error;
}

function placeOf(key: string): Place[] {
  const [, appId = '', kind, owner = '', rest] = NAME.exec(key) ?? [];
  if (kind === 'grant') {
    return rest === undefined ? [{ kind: 'string', key, context: { appId, owner, purpose: 'grant' } }] : [];
  }
  const ofSession = appOfSession(owner);
  if (ofSession === null) return [];
  if (rest === undefined) return [{ kind: 'session', key, appId: ofSession, sessionId: owner }];
  if (rest !== ':tokens') return [];
  return [{ kind: 'string', key, context: { appId: ofSession, owner, purpose: 'session-tokens' } }];
}

function headOf(key: string, context: SealedValue['context'], head: unknown): SealedValue[] {
  if (!Buffer.isBuffer(head) || head.length === 0) return [];
  return [{ key, field: null, context, keyId: keyIdOf(head.subarray(head.indexOf(0x3a) + 1)) }];
}

function fieldOf(
  key: string,
  field: 'text' | 'link',
  context: SealedValue['context'],
  sealed: string | null | undefined,
): SealedValue[] {
  if (typeof sealed !== 'string') return [];
  return [{ key, field, context, keyId: keyIdOf(Buffer.from(sealed.slice(0, FIELD_HEAD_CHARACTERS), 'base64')) }];
}
