/**
 * The error table of the token endpoint v2, also used for faults of the device authorization endpoint: Feishu's code -> HTTP status, RFC 6749 `error`, text. Data only.
 * Source: FEISHU.md §6.2.
 */

import type { Reply } from '../http/exchange.js';
import { rateLimited } from '../http/refusals.js';

const ERRORS: Readonly<Record<number, readonly [status: number, error: string, description: string]>> = {
  20001: [400, 'invalid_request', 'The request is missing a required parameter.'],
  20002: [400, 'invalid_client', 'The client secret is invalid.'],
  20003: [400, 'invalid_grant', 'The authorization code is not found.'],
  20004: [400, 'invalid_grant', 'The authorization code has expired.'],
  20008: [400, 'invalid_grant', 'The user does not exist.'],
  20009: [400, 'unauthorized_client', 'The app is not installed in the tenant.'],
  20010: [400, 'access_denied', 'The user does not have permission to use this app.'],
  20024: [400, 'invalid_grant', 'The code or refresh token was not issued to this client.'],
  20026: [400, 'invalid_grant', 'The refresh token is invalid.'],
  20036: [400, 'unsupported_grant_type', 'The grant_type is not supported.'],
  20037: [400, 'invalid_grant', 'The refresh token has expired.'],
  20048: [400, 'invalid_client', 'The app does not exist.'],
  20049: [400, 'invalid_grant', 'PKCE verification failed.'],
  20050: [500, 'server_error', 'An unexpected server error occurred.'],
  20063: [400, 'invalid_request', 'The request is malformed.'],
  20064: [400, 'invalid_grant', 'The refresh token has been revoked.'],
  20065: [400, 'invalid_grant', 'The authorization code has been used.'],
  20066: [400, 'invalid_grant', 'The user status is invalid.'],
  20067: [400, 'invalid_scope', 'The scope list contains duplicates.'],
  20068: [400, 'invalid_scope', 'The scope list contains scopes that were not granted.'],
  20069: [400, 'unauthorized_client', 'The app is not enabled.'],
  20070: [400, 'invalid_request', 'Multiple client authentication methods were used.'],
  20071: [400, 'invalid_grant', 'The redirect_uri does not match.'],
  20072: [503, 'temporarily_unavailable', 'The service is temporarily unavailable.'],
  20073: [400, 'invalid_grant', 'The refresh token has been used.'],
  20074: [400, 'unauthorized_client', 'The app is not allowed to refresh tokens.'],
  21000: [400, 'access_denied', 'Blocked by access policy; a challenge is needed.'],
  21001: [400, 'access_denied', 'Blocked by access policy.'],
};

/** The answer for one of Feishu's codes; a code not in the table becomes 400 `invalid_request`. */
export function tokenError(code: number, description?: string): Reply {
  if (code === 99991400) return rateLimited(1, 50);
  const [status, error, text] = ERRORS[code] ?? [400, 'invalid_request', 'refused'];
  return { status, body: { code, error, error_description: description ?? text } };
}

/** Codes seen for the states of RFC 8628 §3.5; the others have none that is known (FEISHU.md §6.3). */
const DEVICE_CODES: Readonly<Record<string, number>> = { authorization_pending: 20094, slow_down: 20095 };

/** The answer to a poll that brought no tokens. */
export function deviceError(
  error: 'authorization_pending' | 'slow_down' | 'access_denied' | 'expired_token' | 'invalid_grant',
): Reply {
  const code = DEVICE_CODES[error];
  return {
    status: 400,
    body: { ...(code === undefined ? {} : { code }), error, error_description: error.replaceAll('_', ' ') },
  };
}
