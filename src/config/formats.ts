/**
 * Strict formats of single values. Each says what it accepts and judges a raw value, which is text (environment,
 * secret file) or a JSON value (CONFIG_FILE). Nothing is coerced beyond the grammar said here: `600abc` is no number.
 *
 * A problem never quotes the value, except numbers and words of closed lists, which hold no secrets.
 */
import { SCOPE_PATTERN } from '../domain/scopes.js';

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

export interface Format<T> {
  /** Completes "accepted: …". */
  readonly accepts: string;
  /** Takes its own results unchanged. */
  parse(raw: unknown): Parsed<T>;
}

export const ok = <T>(value: T): Parsed<T> => ({ ok: true, value });
export const bad = (problem: string): Parsed<never> => ({ ok: false, problem });

/** What people paste around a value: white space, a byte order mark, one pair of quotes (docker's --env-file). */
export function tidy(text: string): string {
  // trim() takes a byte order mark for white space.
  const trimmed = text.trim();
  const quoted = /^(["'])(.*)\1$/s.exec(trimmed);
  return quoted?.[2] === undefined ? trimmed : quoted[2].trim();
}

/** Short, printable, quoted: for values that cannot be secrets. */
const quote = (raw: unknown): string => JSON.stringify(raw)?.slice(0, 24) ?? 'nothing';

export function integer(min: number, max: number, meaning = ''): Format<number> {
  const accepts = `a whole number from ${min} to ${max}${meaning}`;
  return { accepts, parse: (raw) => parseNumber(raw, /^-?(0|[1-9]\d{0,14})$/, { min, max, kind: 'whole number' }) };
}

export function decimal(min: number, max: number): Format<number> {
  const accepts = `a number from ${min} to ${max}`;
  return {
    accepts,
    parse: (raw) => parseNumber(raw, /^-?(0|[1-9]\d{0,14})(\.\d{1,9})?$/, { min, max, kind: 'number' }),
  };
}

function parseNumber(raw: unknown, grammar: RegExp, { min, max, kind }: { min: number; max: number; kind: string }) {
  if (typeof raw !== 'string' && typeof raw !== 'number') return bad(`is not a ${kind}`);
  if (!grammar.test(String(raw))) return bad(`${quote(raw)} is not a ${kind}`);
  const value = Number(raw);
  if (value < min || value > max) return bad(`${quote(raw)} is out of range`);
  return ok(value);
}

const BOOLEANS = new Map<unknown, boolean>([
  [true, true],
  ['true', true],
  ['1', true],
  [1, true],
  [false, false],
  ['false', false],
  ['0', false],
  [0, false],
]);

export const boolean: Format<boolean> = {
  accepts: 'true, false, 1 or 0',
  parse(raw) {
    const value = BOOLEANS.get(raw);
    return value === undefined ? bad(`${quote(raw)} is not a boolean`) : ok(value);
  },
};

export function oneOf<const T extends string>(words: readonly T[]): Format<T> {
  return {
    accepts: words.join(', '),
    parse(raw) {
      const word = words.find((candidate) => candidate === raw);
      return word === undefined ? bad(`${quote(raw)} is not one of the accepted words`) : ok(word);
    },
  };
}

/** A non-empty list without repetition: comma-separated, or a JSON array. */
export function listOf<const T extends string>(words: readonly T[]): Format<readonly T[]> {
  const item = oneOf(words);
  return {
    accepts: `one or more of ${words.join(', ')}, comma-separated`,
    parse(raw) {
      const parts = typeof raw === 'string' ? raw.split(',').map((part) => part.trim()) : raw;
      if (!Array.isArray(parts) || parts.length === 0) return bad('is not a list');
      const values: T[] = [];
      for (const part of parts) {
        const parsed = item.parse(part);
        if (!parsed.ok) return parsed;
        if (values.includes(parsed.value)) return bad(`names ${parsed.value} twice`);
        values.push(parsed.value);
      }
      return ok(values);
    },
  };
}

/** Text that matches a pattern. `wrong` says what is the matter without showing the value. */
export function matching(pattern: RegExp, accepts: string, wrong = 'does not have the expected form'): Format<string> {
  return {
    accepts,
    parse: (raw) => (typeof raw === 'string' && pattern.test(raw) ? ok(raw) : bad(wrong)),
  };
}

export const appId = matching(
  /^cli_[0-9a-fA-F]{16}$/,
  'cli_ and 16 hexadecimal digits, as the developer console shows it',
  'is not the id of an app',
);

/** No inner white space: a secret is one word, and a pasted pair of words is a mistake. */
export const secretWord = matching(
  /^[\x21-\x7E]{1,512}$/,
  'the secret as one printable word',
  'is not one printable word',
);

export const path = matching(/^[^\0]{1,4096}$/, 'a path', 'is not a path');

/** Scope names as RFC 6749 §3.3 allows them; duplicates are kept, the caller says that they were there. */
export const scopeList: Format<readonly string[]> = {
  accepts: 'scope names separated by spaces or commas',
  parse(raw) {
    const names: unknown = typeof raw === 'string' ? raw.split(/[\s,]+/).filter((name) => name !== '') : raw;
    if (!Array.isArray(names)) return bad('is not a list of scope names');
    const scopes: string[] = [];
    for (const [index, name] of names.entries()) {
      if (typeof name !== 'string' || !SCOPE_PATTERN.test(name)) return bad(`entry ${index + 1} is not a scope name`);
      scopes.push(name);
    }
    return ok(scopes);
  },
};

export const timezone: Format<string> = {
  accepts: 'an IANA time zone such as Asia/Shanghai',
  parse(raw) {
    if (typeof raw !== 'string') return bad('is not text');
    try {
      new Intl.DateTimeFormat('en', { timeZone: raw });
      return ok(raw);
    } catch {
      return bad(`${quote(raw)} is not a known time zone`);
    }
  },
};
