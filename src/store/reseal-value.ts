/**
 * Seals one value again with the first key of the ring: same meaning, same owner, same generation. It is written only
 * where the very value that was read still lies, so that whoever writes meanwhile wins.
 */
import type { Redis } from 'ioredis';
import { AuthdError } from '../errors.js';
import { type Envelope, keyIdOf, type SealContext } from './envelope.js';
import { putAsideScript } from './grant-vault.js';
import { defineScript } from './script.js';
import type { SealedValue } from './sealed-values.js';

export interface ResealValueDeps {
  readonly redis: Redis;
  readonly envelope: Envelope;
  /** Told of each value that was put aside. */
  readonly onDamaged: (error: AuthdError) => void;
}

/** KEYS: its key. ARGV: field ('' : none), the value as it was read, the new one. Returns 1 when it was written. */
const replaceScript = defineScript(`
if ARGV[1] == '' then
  if redis.call('GET', KEYS[1]) ~= ARGV[2] then return 0 end
  redis.call('SET', KEYS[1], ARGV[3], 'KEEPTTL')
else
  if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
return 1
`);

/** A field that does not open stays in its hash under another name. KEYS: the hash. ARGV: field, value as it was read. */
const putFieldAsideScript = defineScript(`
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1] .. ':damaged', ARGV[2])
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
`);

/** A value as it lies in Redis: what it was sealed for, and the bytes in front of the seal, which stay as they are. */
interface ReadValue {
  readonly whole: Buffer;
  readonly front: Buffer;
  readonly sealed: Buffer;
  readonly context: SealContext;
}

/** `passed`: it was changed or deleted meanwhile (also to a key that is not in our ring). `aside`: it does not open. */
export async function resealValue(deps: ResealValueDeps, value: SealedValue): Promise<'resealed' | 'aside' | 'passed'> {
  const { envelope, redis } = deps;
  const read = await (value.field === null ? readString(redis, value) : readField(redis, value, value.field));
  if (read === null || keyIdOf(read.sealed) === envelope.keyIds[0]) return 'passed';
  let opened: string;
  try {
    opened = envelope.open(read.sealed, read.context);
  } catch (error) {
    if (!(error instanceof AuthdError)) throw error;
    if (error.code !== 'record_damaged' || !(await putAside(redis, value, read))) return 'passed';
    deps.onDamaged(error);
    return 'aside';
  }
  const anew = envelope.seal(opened, read.context);
  const replacement = value.field === null ? Buffer.concat([read.front, anew]) : anew.toString('base64');
  const written = await replaceScript(redis, [value.key], [value.field ?? '', read.whole, replacement]);
  return written === 1 ? 'resealed' : 'passed';
}

async function readString(redis: Redis, { context, key }: SealedValue): Promise<ReadValue | null> {
  const whole = await redis.getBuffer(key);
  if (whole === null) return null;
  const end = whole.indexOf(0x3a) + 1;
  const front = whole.subarray(0, end);
  const generation = Number.parseInt(front.toString('ascii'), 10);
  return { whole, front, sealed: whole.subarray(end), context: { ...context, generation } };
}

/** In one look with the number of the link, as both change together. */
async function readField(redis: Redis, { context, key }: SealedValue, field: string): Promise<ReadValue | null> {
  const [whole, linkNumber] = await redis.hmgetBuffer(key, field, 'link_number');
  if (!whole) return null;
  const generation = field === 'link' ? Number(linkNumber?.toString('ascii') ?? 0) : 0;
  const sealed = Buffer.from(whole.toString('ascii'), 'base64');
  return { whole, front: Buffer.alloc(0), sealed, context: { ...context, generation } };
}

async function putAside(redis: Redis, { field, key }: SealedValue, { context, whole }: ReadValue): Promise<boolean> {
  const moved =
    field === null
      ? await putAsideScript(redis, [key], [whole, `${key}:damaged:${context.generation}`])
      : await putFieldAsideScript(redis, [key], [field, whole]);
  return moved === 1;
}
