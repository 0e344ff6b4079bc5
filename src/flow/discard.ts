/**
 * Tells Feishu that tokens are not wanted any more, beside whatever made them so: best effort, as Feishu takes it
 * (FEISHU.md §6.5). Our own copies are gone by then.
 */
import type { Logger } from 'pino';
import type { AppConfig } from '../config/config.js';
import type { Grant } from '../domain/grant.js';
import type { Revocation } from '../oauth/revocation.js';
import type { Hints } from './hints.js';

export type Discard = (appId: string, openId: string, tokens: Pick<Grant, 'tokens' | 'wider'>) => void;

export interface DiscardDeps {
  readonly revocation: Revocation;
  readonly app: (appId: string) => AppConfig | undefined;
  readonly hints: Hints;
  readonly logger: Logger;
}

export function createDiscard(deps: DiscardDeps): Discard {
  return (appId, openId, { tokens, wider }) => {
    const app = deps.app(appId);
    if (app === undefined) return;
    deps.hints.add(async () => {
      const revoke = (token: string, hint: 'access_token' | 'refresh_token'): Promise<boolean> =>
        deps.revocation.revoke({ app, token, hint });
      // The refresh token first: it is what lives longest.
      const refresh = tokens.refreshToken === null || (await revoke(tokens.refreshToken, 'refresh_token'));
      const access = await revoke(tokens.accessToken, 'access_token');
      const former = wider === undefined || (await revoke(wider.accessToken, 'access_token'));
      const accepted = refresh && access && former;
      const fields = { event: 'token.revoked_at_feishu', app_id: appId, open_id: openId, accepted };
      deps.logger.info(fields, 'Feishu was told that the tokens are not wanted any more');
    });
  };
}
