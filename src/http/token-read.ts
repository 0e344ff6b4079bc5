/**
 * May this stored token be handed out? Pure. CONTRACT §5: a token handed out has at least min(60 s, half its life)
 * left; whoever cannot have one learns whether to ask the user, to wait or to call the operator.
 */
import type { AccessToken, GrantStatus } from '../domain/grant.js';
import { missingFrom } from '../domain/scopes.js';
import { AuthdError } from '../errors.js';

const LIFE_LEFT_SECONDS = 60;

/**
 * The token, if it may be used now for the wanted scopes.
 * @param now milliseconds
 * @throws {AuthdError} `token_not_found`, `insufficient_scope`, `reauthorization_required`, `upstream_unavailable`
 */
export function judgeToken(
  grant: GrantStatus,
  token: AccessToken | null,
  wanted: readonly string[],
  now: number,
): AccessToken {
  switch (grant.status) {
    case 'none':
      throw new AuthdError('token_not_found', 'There is no token of this user');
    case 'revoked':
      throw new AuthdError('reauthorization_required', 'The user has taken the authorization back');
    case 'reauthorization_required':
      throw new AuthdError('reauthorization_required', 'The authorization has ended');
    case 'suspended':
      // Not the user's to mend, and the grant is kept: neither `ask` nor `wait` would help.
      throw new AuthdError('upstream_unavailable', 'The grant is suspended until an operator has acted', {
        retryAfterSeconds: LIFE_LEFT_SECONDS,
        details: { next: 'operator' },
      });
    case 'active':
      return judgeActive(token, token?.scopes ?? grant.scopes, wanted, now);
  }
}

function judgeActive(
  token: AccessToken | null,
  granted: readonly string[],
  wanted: readonly string[],
  now: number,
): AccessToken {
  const missing = missingFrom(granted, wanted);
  if (missing.length > 0) {
    throw new AuthdError('insufficient_scope', 'The user has not granted all the scopes', {
      details: { missing_scopes: missing },
    });
  }
  if (token === null || token.expiresAt - now < neededLifeMs(token)) {
    throw new AuthdError('reauthorization_required', 'The access token has expired');
  }
  return token;
}

/** Half its life, for tokens that never had 2 minutes to live. */
const neededLifeMs = (token: AccessToken): number => Math.min(LIFE_LEFT_SECONDS, token.expiresIn / 2) * 1000;
