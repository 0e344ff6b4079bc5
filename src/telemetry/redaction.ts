/**
 * What may be logged of a value, judged by names: fields that by their name hold a secret or somebody's text are
 * replaced, at any depth; errors become a few chosen fields; objects of classes (requests, sockets, clients) are
 * named, not opened. Bounded in depth, breadth and length, so that no log call can be expensive.
 */
import { describeError } from './error-fields.js';

const REDACTED = '[redacted]';
const MAX_DEPTH = 5;
const MAX_ENTRIES = 50;
const MAX_TEXT = 4096;

/** Names that are secret as they are. `reason` and `metadata` are texts of the requester (CONTRACT §8). */
const SECRET_NAMES = new Set(['code', 'key', 'keys', 'reason', 'metadata', 'headers', 'body', 'passwd']);
/** Names that are secret by their last word: `access_token`, `userCode`, `verification_uri`, `app-secret`. */
const SECRET_LAST_WORD =
  /(^|_)(token|secret|password|authorization|cookie|ticket|credential|verifier|code|key|link|url|uri|uri_complete)s?$/;
/** Codes that say what happened. */
const OPEN_NAMES = new Set(['feishu_code', 'status_code', 'error_code', 'close_code', 'exit_code', 'failure_code']);

/** The fields of a log line, safe to write. Never throws. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactEntries(Object.entries(fields), 0);
}

function redactEntries(entries: readonly [string, unknown][], depth: number): Record<string, unknown> {
  const safe = entries.slice(0, MAX_ENTRIES).map(([name, value]) => [name, redactMember(name, value, depth)]);
  if (entries.length > MAX_ENTRIES) safe.push(['left_out', entries.length - MAX_ENTRIES]);
  return Object.fromEntries(safe);
}

function redactMember(name: string, value: unknown, depth: number): unknown {
  // No secret is a number, a boolean or nothing; `token: null` and `code: 1006` are worth reading.
  const open = value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean';
  if (open || value instanceof Error) return redactValue(value, depth);
  return isSecretName(name) ? REDACTED : redactValue(value, depth);
}

function isSecretName(name: string): boolean {
  // Ours are in snake case already, and this runs for every field of every line.
  const snake = /[A-Z-]/.test(name) ? snakeCase(name) : name;
  if (OPEN_NAMES.has(snake)) return false;
  return SECRET_NAMES.has(snake) || SECRET_LAST_WORD.test(snake);
}

const snakeCase = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toLowerCase();

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value;
  if (value instanceof Error) return describeError(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return redactArray(value, depth + 1);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return redactEntries(Object.entries(value), depth + 1);
  return `[${value.constructor?.name ?? 'object'}]`;
}

function redactArray(items: readonly unknown[], depth: number): unknown[] {
  const safe = items.slice(0, MAX_ENTRIES).map((item) => redactValue(item, depth));
  return items.length > MAX_ENTRIES ? [...safe, `${items.length - MAX_ENTRIES} more`] : safe;
}
