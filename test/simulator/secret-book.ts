/**
 * Makes every random value the simulator gives out and remembers the secret ones, so that a test can search all it can
 * see of a daemon for them. Owns no lifetimes: a dead token stays in the book.
 */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';

export type SecretKind =
  | 'app_secret'
  | 'tenant_access_token'
  | 'access_token'
  | 'refresh_token'
  | 'device_code'
  | 'authorization_code'
  | 'code_verifier'
  | 'user_code'
  | 'verification_link'
  | 'callback_token'
  | 'verification_token'
  | 'encrypt_key'
  | 'ws_access_key'
  | 'ws_ticket';

export interface Secret {
  kind: SecretKind;
  value: string;
}

/** `count` random bytes as lower-case hex. */
export const hex = (count: number): string => randomBytes(count).toString('hex');

/** A random string of `length` characters of base64url, which no compressor shortens. */
export const randomText = (length: number): string =>
  randomBytes(Math.ceil((length * 3) / 4))
    .toString('base64url')
    .slice(0, length);

export const uuid = (): string => randomUUID();

/** A random number of `digits` digits, as text: LogIDs are larger than JavaScript's safe integers. */
export function digits(count: number): string {
  let text = String(randomInt(1, 10));
  while (text.length < count) text += String(randomInt(0, 10));
  return text;
}

const USER_CODE_ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** A code a person can compare, as `K7QM-2XWD`. */
export function userCode(): string {
  const part = (): string =>
    Array.from({ length: 4 }, () => USER_CODE_ALPHABET.charAt(randomInt(USER_CODE_ALPHABET.length))).join('');
  return `${part()}-${part()}`;
}

export class SecretBook {
  readonly #secrets: Secret[] = [];
  readonly #values = new Set<string>();

  /** Writes a secret down and returns it. */
  keep(kind: SecretKind, value: string): string {
    this.#secrets.push({ kind, value });
    this.#values.add(value);
    return value;
  }

  /** The same for a value that others made and may show again: it is written down the first time. */
  keepOnce(kind: SecretKind, value: string): void {
    if (!this.#values.has(value)) this.keep(kind, value);
  }

  /** Everything ever issued, oldest first, or only the kinds named. */
  all(kinds?: readonly SecretKind[]): Secret[] {
    return this.#secrets.filter((secret) => kinds === undefined || kinds.includes(secret.kind));
  }
}
