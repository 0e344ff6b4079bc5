/** Set maths on OAuth scopes. Order is kept: the first mention wins. */

/** Without it Feishu gives no refresh token (FEISHU.md §6.1). */
export const OFFLINE_ACCESS = 'offline_access';

/** The consent page takes at most so many scopes (FEISHU.md §6.1). */
export const MAX_SCOPES = 50;

/** A scope token as RFC 6749 §3.3 allows it. Feishu's names are case-sensitive. */
export const SCOPE_PATTERN = /^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/;

export const parseScopes = (text: string): string[] => union(text.split(/\s+/).filter((scope) => scope !== ''));

export const union = (...lists: readonly (readonly string[])[]): string[] => [...new Set(lists.flat())];

export const missingFrom = (have: readonly string[], wanted: readonly string[]): string[] => {
  const set = new Set(have);
  return wanted.filter((scope) => !set.has(scope));
};

export const covers = (have: readonly string[], wanted: readonly string[]): boolean =>
  missingFrom(have, wanted).length === 0;

/** `offline_access` first, no duplicates. */
export const withOfflineAccess = (scopes: readonly string[]): string[] => union([OFFLINE_ACCESS], scopes);
