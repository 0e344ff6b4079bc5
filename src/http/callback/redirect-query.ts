/**
 * Reads the query of a redirect, which anybody can write. Strict: what RFC 6749 does not allow in a code, a state or
 * an error (appendix A.5, A.7, A.11: printable ASCII) never reaches the flow, nor does a parameter that is there twice
 * (§3.1). Unknown parameters are ignored, as §4.1.2 wants.
 */
import type { RedirectQuery } from '../../domain/redirect.js';

const PARAMETERS = ['code', 'state', 'error'] as const;
/** Characters, decoded. Feishu's codes have about 64, a state of ours less than 1,000. */
const MAX_VALUE = 4_096;
const PRINTABLE = /^[\x20-\x7e]+$/;

/** @returns null for a query that no authorization server sends; `url` is the request target. */
export function readRedirectQuery(url: string): RedirectQuery | null {
  const found = new Map<string, string>();
  for (const pair of queryOf(url).split('&')) {
    const [rawName = '', ...rest] = pair.split('=');
    const name = decode(rawName);
    if (name === null || !isParameter(name)) continue;
    const value = decode(rest.join('='));
    if (value === null || found.has(name)) return null;
    if (value !== '' && (value.length > MAX_VALUE || !PRINTABLE.test(value))) return null;
    found.set(name, value);
  }
  // RFC 6749 §3.1: a parameter without a value counts as left out.
  const read = (name: string): string | null => found.get(name) || null;
  return { code: read('code'), state: read('state'), error: read('error') };
}

const isParameter = (name: string): boolean => (PARAMETERS as readonly string[]).includes(name);

/** Also what stands before a fragment, which no browser sends. */
function queryOf(url: string): string {
  const start = url.indexOf('?');
  return start === -1 ? '' : (url.slice(start + 1).split('#')[0] ?? '');
}

/** application/x-www-form-urlencoded in UTF-8 (RFC 6749 appendix B); null when it is not. */
function decode(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
}
