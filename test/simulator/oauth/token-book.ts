/**
 * Every user token ever issued and what became of it. Grants accumulate scopes per app and person; a refresh token works
 * once and dies at the moment its successor is made, whatever happens to the answer. Source: FEISHU.md §6.1, §6.2.
 */
import type { Directory, User } from '../directory.js';
import type { Settings } from '../options.js';
import { randomText, type SecretBook } from '../secret-book.js';

/** As `auth.user_access_token.revoked_v4` names them. */
export type TokenKind = 'user_access_token' | 'refresh_token';

export interface AccessToken {
  token: string;
  appId: string;
  userId: string;
  openId: string;
  scopes: string[];
  expiresAt: number;
  revoked: boolean;
}

export interface RefreshToken {
  token: string;
  appId: string;
  userId: string;
  openId: string;
  scopes: string[];
  expiresAt: number;
  /** When the person agreed; refreshing ends 365 days later. */
  consentAt: number;
  /** All tokens from one login have the same chain; generation 1 is the first. */
  chainId: string;
  generation: number;
  /** Successful redemptions: never more than 1. */
  used: number;
  /** Times it was presented after that (20073). */
  reused: number;
  revoked: boolean;
}

export interface TokenSet {
  access: AccessToken;
  refresh?: RefreshToken;
}

export class TokenBook {
  readonly #access = new Map<string, AccessToken>();
  readonly #refresh = new Map<string, RefreshToken>();
  readonly #granted = new Map<string, Set<string>>();
  readonly #deps: { settings: Settings; secrets: SecretBook; directory: Directory };
  #chains = 0;

  constructor(deps: { settings: Settings; secrets: SecretBook; directory: Directory }) {
    this.#deps = deps;
  }

  access(token: string): AccessToken | undefined {
    return this.#access.get(token);
  }

  refresh(token: string): RefreshToken | undefined {
    return this.#refresh.get(token);
  }

  refreshTokens(): RefreshToken[] {
    return [...this.#refresh.values()];
  }

  accessTokens(): AccessToken[] {
    return [...this.#access.values()];
  }

  /** Adds to what a person has granted an app and returns all of it. */
  grant(appId: string, user: User, scopes: readonly string[]): string[] {
    const key = `${appId}:${user.userId}`;
    const granted = this.#granted.get(key) ?? new Set();
    for (const scope of scopes) granted.add(scope);
    this.#granted.set(key, granted);
    return [...granted];
  }

  /** All a person has granted an app so far. */
  granted(appId: string, user: User): string[] {
    return [...(this.#granted.get(`${appId}:${user.userId}`) ?? [])];
  }

  /** Forgets what a person has granted, so that the next consent starts from nothing. */
  forgetGrant(appId: string, user: User): void {
    this.#granted.delete(`${appId}:${user.userId}`);
  }

  /** Makes every live token of a person for an app die as revoked. */
  revokeAll(appId: string, user: User, kinds: readonly TokenKind[]): void {
    const tokens = [
      ...(kinds.includes('user_access_token') ? this.#access.values() : []),
      ...(kinds.includes('refresh_token') ? this.#refresh.values() : []),
    ];
    for (const token of tokens) {
      if (token.appId === appId && token.userId === user.userId) token.revoked = true;
    }
  }

  /**
   * The first tokens of a login. Without offline_access there is no refresh token. `narrowed` is for the access token
   * only: a refresh may ask for everything granted again.
   */
  issue(appId: string, user: User, scopes: string[], consentAt: number, narrowed: string[] = scopes): TokenSet {
    this.#chains += 1;
    const chain = { chainId: `chain-${this.#chains}`, generation: 1, consentAt };
    const set = this.#make(appId, user, narrowed, chain);
    if (set.refresh) set.refresh.scopes = scopes;
    return set;
  }

  /** Redeems a refresh token that was found good: it dies here. `scopes` narrows the new access token only. */
  rotate(old: RefreshToken, user: User, scopes: string[] | undefined): TokenSet {
    old.used += 1;
    const { chainId, consentAt } = old;
    const set = this.#make(old.appId, user, scopes ?? old.scopes, {
      chainId,
      consentAt,
      generation: old.generation + 1,
    });
    // Narrowing does not accumulate: the next refresh may ask for everything granted again.
    if (set.refresh) set.refresh.scopes = old.scopes;
    return set;
  }

  #make(
    appId: string,
    user: User,
    scopes: string[],
    chain: Pick<RefreshToken, 'chainId' | 'generation' | 'consentAt'>,
  ): TokenSet {
    const { settings, secrets, directory } = this.#deps;
    const openId = directory.openId(user, appId);
    const owner = { appId, userId: user.userId, openId, scopes, revoked: false };
    const access: AccessToken = {
      ...owner,
      token: secrets.keep('access_token', `eyJ${randomText(settings.tokenBytes - 3)}`),
      expiresAt: settings.now() + settings.accessTokenLifeSeconds * 1000,
    };
    this.#access.set(access.token, access);
    if (!scopes.includes('offline_access')) return { access };
    const refresh: RefreshToken = {
      ...owner,
      ...chain,
      token: secrets.keep('refresh_token', `eyJ${randomText(settings.tokenBytes - 3)}`),
      expiresAt: settings.now() + settings.refreshTokenLifeSeconds * 1000,
      used: 0,
      reused: 0,
    };
    this.#refresh.set(refresh.token, refresh);
    return { access, refresh };
  }
}
