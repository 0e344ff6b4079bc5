/**
 * Success of the token endpoint -> TokenSet, for every grant (RFC 6749 §5.1, FEISHU.md §6.2). Pure. Lifetimes may be
 * missing, strings, zero or absurd; what comes out is always finite.
 */
import { type JsonObject, positiveWithin, textOf } from '../domain/json-fields.js';
import { parseScopes } from '../domain/scopes.js';
import type { TokenSet } from '../domain/token-set.js';

/** When `expires_in` is missing, zero or no number: the life every page of Feishu's gives as example. */
export const DEFAULT_EXPIRES_IN_SECONDS = 7_200;
/** Nobody means more; a larger number is cut to this. */
export const LONGEST_EXPIRES_IN_SECONDS = 30 * 86_400;
/** Feishu ends every chain of refreshes 365 days after the consent. */
export const LONGEST_REFRESH_EXPIRES_IN_SECONDS = 365 * 86_400;

/** A token goes into a header: visible ASCII, and not endlessly long (Feishu: reserve 4 KB). */
const TOKEN = /^[\x21-\x7E]{1,16384}$/;

/**
 * null when there is no usable access token in the answer.
 *
 * @param nowMs when the answer came
 * @param askedScopes what it stands for when the answer names no scope (RFC 6749 §5.1: then it is what was asked)
 */
export function readTokenSet(answer: JsonObject, nowMs: number, askedScopes: readonly string[]): TokenSet | null {
  const accessToken = tokenOf(answer['access_token']);
  if (accessToken === null) return null;
  const expiresIn = positiveWithin(answer['expires_in'], 1, LONGEST_EXPIRES_IN_SECONDS) ?? DEFAULT_EXPIRES_IN_SECONDS;
  const refreshToken = tokenOf(answer['refresh_token']);
  const refreshIn = positiveWithin(answer['refresh_token_expires_in'], 1, LONGEST_REFRESH_EXPIRES_IN_SECONDS);
  const scope = answer['scope'];
  return {
    accessToken,
    expiresAt: nowMs + expiresIn * 1000,
    expiresIn,
    refreshToken,
    refreshExpiresAt: refreshToken === null || refreshIn === null ? null : nowMs + refreshIn * 1000,
    tokenType: textOf(answer['token_type']) ?? 'Bearer',
    scopes: typeof scope === 'string' ? parseScopes(scope) : [...askedScopes],
  };
}

function tokenOf(value: unknown): string | null {
  const text = textOf(value);
  return text !== null && TOKEN.test(text) ? text : null;
}
