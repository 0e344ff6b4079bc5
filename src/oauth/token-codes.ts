/**
 * Codes of Feishu's authorization server and token endpoint (FEISHU.md §6.2), for all grants: code -> what it means,
 * what to do, who can do it. Codes any API may answer come from domain/feishu-codes.ts.
 *
 * - `retry`: of the moment; keep everything, try again
 * - `operator`: the app or its configuration; keep the tokens
 * - `user`: about this user: without access to the app, or no longer there
 * - `restart`: this code or link is of no use any more; a new one may be made
 * - `grant_dead`: the refresh token is dead; only a new consent helps
 * - `bug`: our request is wrong
 */
import { type CodeEntry, type CodeTable, GENERIC_CODES, REMEDIES } from '../domain/feishu-codes.js';

export type TokenCodeClass = 'retry' | 'operator' | 'user' | 'restart' | 'grant_dead' | 'bug';

type Entry = CodeEntry<TokenCodeClass>;

const { credentials: CREDENTIALS, publish: PUBLISH, report: REPORT, wait: WAIT } = REMEDIES;
const NEW_LINK = 'Ask for a new link.';
const ASK_AGAIN = 'Ask the user to authorize again.';

const retry = (cause: string, remedy: string = WAIT): Entry => ({ class: 'retry', cause, remedy, for: 'operator' });
const operator = (cause: string, remedy: string): Entry => ({ class: 'operator', cause, remedy, for: 'operator' });
const restart = (cause: string): Entry => ({ class: 'restart', cause, remedy: NEW_LINK, for: 'user' });
const dead = (cause: string): Entry => ({ class: 'grant_dead', cause, remedy: ASK_AGAIN, for: 'user' });
const bug = (cause: string): Entry => ({ class: 'bug', cause, remedy: REPORT, for: 'developer' });
const user = (cause: string, remedy: string): Entry => ({ class: 'user', cause, remedy, for: 'operator' });

export const TOKEN_CODES: CodeTable<TokenCodeClass> = {
  20001: bug('a required field is missing'),
  20002: operator('the app secret is wrong', CREDENTIALS),
  20003: restart('the code is not known'),
  20004: restart('the code has expired'),
  20008: user('the user does not exist', "Check the user's account in the admin console."),
  20009: operator('the app is not installed in the tenant', `Install the app: ${PUBLISH}.`),
  20010: user(
    'the user has no right to use the app',
    `Add the user to 可用范围 (Availability) of the app, then ${PUBLISH}.`,
  ),
  20024: operator('the code or token belongs to another app', CREDENTIALS),
  20026: dead('the refresh token is invalid'),
  20027: operator(
    'a scope is not enabled for the app',
    `Enable every scope asked for, as a user permission, under 权限管理 (Permissions & Scopes), then ${PUBLISH}.`,
  ),
  20029: operator(
    "the redirect URI is not in the app's list",
    `Paste OAUTH_REDIRECT_URI, exactly as configured (http or https, port, slash at the end), into 安全设置 > 重定向 URL (Security Settings > Redirect URLs), then ${PUBLISH}.`,
  ),
  20036: bug('the grant type is not supported'),
  20037: dead('the refresh token has expired'),
  20048: operator('the app does not exist', CREDENTIALS),
  20049: restart('the PKCE check failed'),
  20050: retry('an error inside Feishu'),
  20063: bug('the request is malformed'),
  20064: dead('the refresh token was revoked'),
  20065: restart('the code was used already'),
  20066: user('the user is frozen or has resigned', "Check the user's account in the admin console."),
  20067: bug('a scope is named twice'),
  20068: bug('a scope was not granted'),
  20069: operator('the app is disabled', REMEDIES.enableApp),
  20070: bug('two kinds of client authentication in one request'),
  20071: operator(
    'the redirect URI is not the one of the authorization request, or is not registered any more',
    'Register OAUTH_REDIRECT_URI, exactly as configured, in 安全设置 > 重定向 URL (Security Settings > Redirect URLs).',
  ),
  20072: retry('Feishu is temporarily unavailable'),
  20073: dead('the refresh token was used already'),
  20074: operator(
    'the app may not refresh tokens',
    `Switch on 刷新 user_access_token (Refresh user_access_token) in 安全设置 (Security Settings), then ${PUBLISH}.`,
  ),
  21000: user('an access policy of the tenant demands a further check', "Ask the tenant's administrator about it."),
  21001: user('an access policy of the tenant forbids it', "Ask the tenant's administrator to allow it."),
};

/** RFC 6749 §5.2 and RFC 8628 §3.5, for answers whose code is missing or unknown. */
export const ERROR_NAMES: Readonly<Record<string, Entry>> = {
  invalid_request: bug('the request is malformed'),
  invalid_client: operator('the app id or app secret is wrong', CREDENTIALS),
  unauthorized_client: operator(
    'the app may not use this grant',
    `Check in the developer console that the app is enabled and installed; ${PUBLISH}.`,
  ),
  unsupported_grant_type: bug('the grant type is not supported'),
  invalid_scope: operator(
    'a scope is unknown, malformed or not enabled for the app',
    `Compare AUTH_SCOPES and the scopes clients ask for with the user permissions under 权限管理 (Permissions & Scopes); after enabling one, ${PUBLISH}.`,
  ),
  invalid_grant: restart('the code is not valid any more'),
  server_error: retry('an error inside Feishu'),
  temporarily_unavailable: retry('Feishu is temporarily unavailable'),
};

/** For answers that no table knows: never a reason to end anything. */
const UNKNOWN_ANSWER: Entry = retry(
  'an answer feishu-authd does not know',
  "It is tried again. If it goes on, look the code up in Feishu's list of error codes and check the network in between.",
);

/**
 * The entry for an answer. A code we know says more than the RFC's `error`, which Feishu fills in loosely; an unknown
 * code leaves the word to the error.
 */
export function entryFor(code: number | null, errorName: string | null): Entry {
  const byCode = code === null ? undefined : (TOKEN_CODES[code] ?? generic(code));
  const byName = errorName !== null && Object.hasOwn(ERROR_NAMES, errorName) ? ERROR_NAMES[errorName] : undefined;
  return byCode ?? byName ?? UNKNOWN_ANSWER;
}

function generic(code: number): Entry | undefined {
  const entry = GENERIC_CODES[code];
  if (entry === undefined) return undefined;
  return { ...entry, class: entry.class === 'misconfigured' ? 'operator' : entry.class };
}
