/**
 * Authorization codes and what became of them: five minutes, once, bound to everything they were asked with. Owns the
 * codes, not the rules by which one is redeemed. Source: FEISHU.md §6.1, §6.2.
 */
import type { User } from '../directory.js';
import type { Settings } from '../options.js';
import { randomText, type SecretBook } from '../secret-book.js';
import type { AuthorizeRequest } from './authorize-request.js';

export interface AuthorizationCode {
  code: string;
  appId: string;
  user: User;
  /** As it was sent to the authorize page, byte for byte. */
  redirectUri: string;
  /** What the person ticked. */
  scopes: string[];
  /** All she has ever granted the app, this consent included: what the token will carry. */
  grantedScopes: string[];
  /** Absent: the link came without PKCE. */
  challenge?: { value: string; method: 'S256' | 'plain' };
  /** Epoch milliseconds; it is also the moment of consent. */
  createdAt: number;
  expiresAt: number;
  /** Successful redemptions: never more than 1. */
  used: number;
  /** Times it was presented after that (20065). */
  reused: number;
}

export class AuthorizationCodes {
  readonly #codes = new Map<string, AuthorizationCode>();
  readonly #deps: { settings: Settings; secrets: SecretBook };

  constructor(deps: { settings: Settings; secrets: SecretBook }) {
    this.#deps = deps;
  }

  issue(request: AuthorizeRequest, user: User, scopes: string[], grantedScopes: string[]): AuthorizationCode {
    const { settings, secrets } = this.#deps;
    const createdAt = settings.now();
    const code: AuthorizationCode = {
      code: secrets.keep('authorization_code', randomText(64)),
      appId: request.app.appId,
      user,
      redirectUri: request.redirectUri,
      scopes,
      grantedScopes,
      ...(request.challenge ? { challenge: request.challenge } : {}),
      createdAt,
      expiresAt: createdAt + settings.authorizationCodeLifeSeconds * 1000,
      used: 0,
      reused: 0,
    };
    this.#codes.set(code.code, code);
    return code;
  }

  find(code: string): AuthorizationCode | undefined {
    return this.#codes.get(code);
  }

  all(): AuthorizationCode[] {
    return [...this.#codes.values()];
  }
}
