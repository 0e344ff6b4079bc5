/** Secrets that can be told by their looks, known or not: what is in URLs, bearer tokens, JWTs, Feishu's tokens. */

/** User name, password, query and fragment of a URL go; consent links and socket addresses are secret by those. */
const URL_SECRETS = /\b(https?|wss?|rediss?):\/\/(?:[^\s"'<>@/\\]*@)?([^\s"'<>?#\\]*)([?#][^\s"'<>\\]*)?/g;
/** Only the scheme is kept. RFC 6750 §2.1, RFC 7617. */
const AUTHORIZATION = /\b(Bearer|Basic)(\s+|%20)[A-Za-z0-9._~+/=-]{6,}/gi;
const JWT = /\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*/g;
/** User, refresh and tenant tokens as Feishu writes them (FEISHU.md §6): `u-…`, `ur-…`, `t-…`. */
const FEISHU_TOKEN = /\b(?:ur?|t)-[A-Za-z0-9_.-]{16,}/g;

/** Safe on a line of JSON: quotes and backslashes are never part of what is taken out. */
export function scrubPatterns(text: string): string {
  let clean = text;
  if (clean.includes('://')) {
    clean = clean.replace(URL_SECRETS, (_all, scheme: string, rest: string, query: string | undefined) => {
      return `${scheme}://${rest}${query === undefined ? '' : '?***'}`;
    });
  }
  if (/bearer|basic/i.test(clean)) clean = clean.replace(AUTHORIZATION, '$1 [secret]');
  if (clean.includes('eyJ')) clean = clean.replace(JWT, '[secret]');
  return clean.replace(FEISHU_TOKEN, '[secret]');
}
