/**
 * The grant `authorization_code` of the token endpoint. Whatever is wrong is said before the code is consumed, so only
 * a success uses it up. Source: FEISHU.md §6.2; RFC 7636 §4.6.
 */
import { createHash } from 'node:crypto';
import type { App, Directory } from '../directory.js';
import type { EventStream } from '../event-stream.js';
import { type Reply, text } from '../http/exchange.js';
import type { Settings } from '../options.js';
import type { SecretBook } from '../secret-book.js';
import type { AuthorizationCode, AuthorizationCodes } from './authorization-codes.js';
import { isRegistered, PKCE_TEXT } from './authorize-request.js';
import { tokenAnswer } from './token-answer.js';
import type { TokenBook } from './token-book.js';
import { tokenError } from './token-errors.js';

export interface AuthorizationCodeGrantDeps {
  settings: Settings;
  directory: Directory;
  authorizationCodes: AuthorizationCodes;
  tokens: TokenBook;
  secrets: SecretBook;
  events: EventStream;
}

export function authorizationCodeGrant(
  deps: AuthorizationCodeGrantDeps,
  app: App,
  body: Record<string, unknown>,
): Reply {
  const verifier = text(body, 'code_verifier');
  if (verifier !== undefined) deps.secrets.keepOnce('code_verifier', verifier);
  const presented = text(body, 'code');
  if (presented === undefined) return tokenError(20001, 'code is required');
  const code = deps.authorizationCodes.find(presented);
  // A device_code sent here is not found either.
  if (!code) return tokenError(20003);
  if (code.appId !== app.appId) return tokenError(20024);
  if (code.used > 0) {
    code.reused += 1;
    return tokenError(20065);
  }
  if (code.expiresAt <= deps.settings.now()) return tokenError(20004);
  const redirectUri = text(body, 'redirect_uri');
  if (redirectUri !== code.redirectUri || !isRegistered(app, redirectUri)) return tokenError(20071);
  if (!isVerified(code, verifier)) return tokenError(20049);
  if (code.user.state !== 'active') return tokenError(20066);
  if (!deps.directory.isAvailable(app, code.user)) return tokenError(20010);
  const wanted = text(body, 'scope')?.split(' ');
  if (wanted && new Set(wanted).size < wanted.length) return tokenError(20067);
  if (wanted?.some((scope) => !code.grantedScopes.includes(scope))) return tokenError(20068);
  code.used += 1;
  const set = deps.tokens.issue(app.appId, code.user, code.grantedScopes, code.createdAt, wanted);
  return tokenAnswer(deps, set, 'authorization_code');
}

/** A verifier for a code without a challenge fails too: the link was stripped of it (RFC 9700 §4.8.2). */
function isVerified({ challenge }: AuthorizationCode, verifier: string | undefined): boolean {
  if (challenge === undefined || verifier === undefined) return challenge === verifier;
  if (!PKCE_TEXT.test(verifier)) return false;
  const hashed = challenge.method === 'S256' ? createHash('sha256').update(verifier).digest('base64url') : verifier;
  return hashed === challenge.value;
}
