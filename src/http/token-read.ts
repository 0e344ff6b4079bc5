/**
 * May one of these tokens be handed out? Pure. CONTRACT §5: a token handed out has at least min(60 s, half its life)
 * left; whoever cannot have one learns whether to ask the user, to wait or to call the operator.
 */
import type { AccessToken, GrantReading, RenewedReading } from '../domain/grant.js';
import { covers, missingFrom } from '../domain/scopes.js';
import { AuthdError } from '../errors.js';

const LIFE_LEFT_SECONDS = 60;
const RETRY_SECONDS = 5;

/**
 * The token, if there is one that may be used now for the wanted scopes; null: a refresh would bring one.
 * @throws {AuthdError} `token_not_found`, `insufficient_scope`, `reauthorization_required`
 */
export function judgeToken(reading: GrantReading, wanted: readonly string[]): AccessToken | null {
  const { grant, now, tokens } = reading;
  switch (grant.status) {
    case 'none':
      throw new AuthdError('token_not_found', 'There is no token of this user');
    case 'revoked':
      throw new AuthdError('reauthorization_required', 'The user has taken the authorization back');
    case 'reauthorization_required':
      throw new AuthdError('reauthorization_required', 'The authorization has ended');
    case 'active':
    case 'suspended':
      break;
  }
  const usable = tokens.find((token) => token.expiresAt - now >= neededLifeMs(token) && covers(token.scopes, wanted));
  if (usable !== undefined) return usable;
  const missing = missingFrom(tokens[0]?.scopes ?? grant.scopes, wanted);
  if (missing.length > 0) {
    throw new AuthdError('insufficient_scope', 'The user has not granted all the scopes', {
      details: { missing_scopes: missing },
    });
  }
  if (!grant.renewable) throw new AuthdError('reauthorization_required', 'The access token has expired');
  return null;
}

/** The token after a refresh. @throws {AuthdError} also `upstream_unavailable`: the grant is safe */
export function judgeRenewed(reading: RenewedReading, wanted: readonly string[]): AccessToken {
  const token = judgeToken(reading, wanted);
  if (token !== null) return token;
  throw unavailable(reading);
}

/** The token of a refresh that was asked for. @throws {AuthdError} also `token_refresh_failed`: Feishu refused */
export function judgeRefreshed(reading: RenewedReading): AccessToken {
  const { kept } = reading;
  if (kept === null) return judgeRenewed(reading, []);
  const code = kept.detail?.feishu_code;
  if (!kept.asked || code === undefined) throw unavailable(reading);
  throw new AuthdError('token_refresh_failed', 'Feishu did not refresh the token; the grant is kept', {
    feishuCode: code,
    remedy: kept.detail?.remedy ?? '',
    ...(kept.detail?.log_id !== undefined && { logId: kept.detail.log_id }),
    details: { next: kept.operator ? 'operator' : 'wait' },
  });
}

function unavailable({ kept }: RenewedReading): AuthdError {
  return new AuthdError('upstream_unavailable', 'The token cannot be refreshed right now; the grant is safe', {
    retryAfterSeconds: kept === null ? RETRY_SECONDS : Math.max(1, Math.ceil(kept.retryAfterMs / 1000)),
    ...(kept?.detail?.feishu_code !== undefined && { feishuCode: kept.detail.feishu_code }),
    ...(kept?.operator === true && { remedy: kept.detail?.remedy ?? '', details: { next: 'operator' } }),
  });
}

/** Half its life, for tokens that never had 2 minutes to live. */
const neededLifeMs = (token: AccessToken): number => Math.min(LIFE_LEFT_SECONDS, token.expiresIn / 2) * 1000;
