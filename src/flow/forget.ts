/** A client has the tokens of a user forgotten (`DELETE …/token`): here at once, at Feishu as far as Feishu takes it. */
import type { Logger } from 'pino';
import type { AppConfig } from '../config/config.js';
import type { Revocation } from '../oauth/revocation.js';
import type { GrantVault } from '../store/grant-vault.js';
import type { RefreshStore } from '../store/refresh-store.js';
import type { Hints } from './hints.js';

export interface ForgetDeps {
  readonly vault: Pick<GrantVault, 'read'>;
  readonly store: Pick<RefreshStore, 'forget'>;
  readonly revocation: Revocation;
  readonly app: (appId: string) => AppConfig | undefined;
  readonly hints: Hints;
  readonly logger: Logger;
}

export type Forget = (appId: string, openId: string, revokeAtFeishu: boolean) => Promise<void>;

export function createForget(deps: ForgetDeps): Forget {
  const revoke = async (appId: string, openId: string): Promise<void> => {
    const app = deps.app(appId);
    const stored = await deps.vault.read(appId, openId);
    if (app === undefined || stored === null) return;
    const { accessToken, refreshToken } = stored.grant.tokens;
    deps.hints.add(async () => {
      const refresh =
        refreshToken === null || (await deps.revocation.revoke({ app, token: refreshToken, hint: 'refresh_token' }));
      const access = await deps.revocation.revoke({ app, token: accessToken, hint: 'access_token' });
      const fields = { event: 'token.revoked_at_feishu', app_id: appId, open_id: openId, accepted: refresh && access };
      deps.logger.info(fields, 'Feishu was told that the tokens are not wanted any more');
    });
  };

  return async (appId, openId, revokeAtFeishu) => {
    if (revokeAtFeishu) await revoke(appId, openId);
    await deps.store.forget(appId, openId, false);
  };
}
