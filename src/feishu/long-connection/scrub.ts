/**
 * Makes foreign text safe to log: no URL queries (the connection URL carries the whole credential, FEISHU.md §2.1), no
 * long opaque strings (tokens, secrets, ids), no raw objects.
 */

const LONGEST_TEXT = 300;

export function scrubText(text: string): string {
  const safe = text.replace(/\?[^\s"'<>]*/g, '?…').replace(/[A-Za-z0-9_\-+/=.%~]{16,}/g, '[…]');
  return safe.length > LONGEST_TEXT ? `${safe.slice(0, LONGEST_TEXT)}…` : safe;
}

/** Any logged value as text: an object is named by its kind only, an error by its scrubbed message. */
export function scrubValue(value: unknown): string {
  if (typeof value === 'string') return scrubText(value);
  if (value instanceof Error) return `${value.name}: ${scrubText(value.message)}`;
  if (Array.isArray(value)) return value.map(scrubValue).join(' ');
  if (typeof value === 'object' && value !== null) return '[object]';
  return typeof value === 'function' || typeof value === 'symbol' ? `[${typeof value}]` : String(value);
}
