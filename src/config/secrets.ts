/**
 * Formats of what must not be seen: the keyring and the API keys. Problems name an entry by its number or its id,
 * never by its secret part.
 */
import { createHash } from 'node:crypto';
import type { EncryptionKey } from './config.js';
import { bad, type Format, ok, type Parsed } from './formats.js';

export const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;
/** Also the grammar of client ids: they become part of Redis keys. */
export const CLIENT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const KEY_BYTES = 32;
/** Shorter ones could be guessed; there is no lock-out on the API. */
const MIN_API_SECRET = 32;

export interface ApiKey {
  readonly id: string;
  readonly secret: string;
}

export const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');

/** `id:secret` pairs, comma-separated. The ids are safe to name in a problem, the rest is not. */
function splitPairs(raw: unknown): string[] | null {
  if (Array.isArray(raw)) return raw.every((item) => typeof item === 'string') ? raw : null;
  return typeof raw === 'string' ? raw.split(',').map((pair) => pair.trim()) : null;
}

/** A ring of 32-byte keys. Keys come from the configuration only: anything derived from the host is lost with it. */
export const keyring: Format<readonly EncryptionKey[]> = {
  accepts: 'id:base64 of 32 bytes, comma-separated, ids unique; make one with: echo "k1:$(openssl rand -base64 32)"',
  parse(raw) {
    if (isKeyring(raw)) return ok(raw);
    const pairs = splitPairs(raw);
    if (pairs === null || pairs.length === 0) return bad('is not a list of keys');
    const keys: EncryptionKey[] = [];
    for (const [index, pair] of pairs.entries()) {
      const parsed = parseKey(pair, `key ${index + 1}`);
      if (!parsed.ok) return parsed;
      if (keys.some((key) => key.id === parsed.value.id)) return bad(`has two keys with the id "${parsed.value.id}"`);
      keys.push(parsed.value);
    }
    return ok(keys);
  },
};

function isKeyring(raw: unknown): raw is readonly EncryptionKey[] {
  return Array.isArray(raw) && raw.length > 0 && raw.every((item) => Buffer.isBuffer(item?.key));
}

function parseKey(pair: string, which: string): Parsed<EncryptionKey> {
  const colon = pair.indexOf(':');
  if (colon === -1) return bad(`${which} has no id: it must read id:base64`);
  const id = pair.slice(0, colon);
  if (!KEY_ID.test(id)) return bad(`the id of ${which} is not 1 to 32 characters of A-Z a-z 0-9 _ -`);
  const text = pair.slice(colon + 1);
  const key = Buffer.from(text, 'base64');
  // Buffer.from skips what it does not know: only a text that comes back the same is base64.
  if (key.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, '')) return bad(`key "${id}" is not base64`);
  if (key.length !== KEY_BYTES) return bad(`key "${id}" has ${key.length} bytes instead of ${KEY_BYTES}`);
  return ok({ id, key });
}

/** One name may come twice: an old and a new secret while clients are moved over. */
export const apiKeys: Format<readonly ApiKey[]> = {
  accepts: `name:secret pairs, comma-separated, each secret at least ${MIN_API_SECRET} printable characters`,
  parse(raw) {
    if (isApiKeys(raw)) return ok(raw);
    const pairs = splitPairs(raw);
    if (pairs === null || pairs.length === 0) return bad('is not a list of pairs');
    const keys: ApiKey[] = [];
    for (const [index, pair] of pairs.entries()) {
      const parsed = parseApiKey(pair, `pair ${index + 1}`);
      if (!parsed.ok) return parsed;
      if (keys.some((key) => key.secret === parsed.value.secret)) return bad('holds one secret twice');
      keys.push(parsed.value);
    }
    return ok(keys);
  },
};

function isApiKeys(raw: unknown): raw is readonly ApiKey[] {
  return Array.isArray(raw) && raw.length > 0 && raw.every((item) => typeof item?.secret === 'string');
}

function parseApiKey(pair: string, which: string): Parsed<ApiKey> {
  const colon = pair.indexOf(':');
  if (colon === -1) return bad(`${which} has no name: it must read name:secret`);
  const id = pair.slice(0, colon);
  if (!CLIENT_ID.test(id)) return bad(`the name of ${which} is not 1 to 64 characters of A-Z a-z 0-9 . _ -`);
  const secret = pair.slice(colon + 1);
  if (secret === '') return bad(`the secret of "${id}" is empty`);
  if (!/^[\x21-\x7E]+$/.test(secret)) return bad(`the secret of "${id}" has characters no header can carry`);
  if (secret.length < MIN_API_SECRET) return bad(`the secret of "${id}" is shorter than ${MIN_API_SECRET} characters`);
  return ok({ id, secret });
}
