/**
 * Tells Feishu that a token is not wanted any more (RFC 7009; FEISHU.md §6.5). Best effort: our own copy is forgotten
 * whatever Feishu says, and whether the sibling token dies with it is not documented.
 */
import type { AppConfig } from '../config/config.js';
import { TIER_4 } from '../domain/call-budget.js';
import { FeishuError } from '../domain/feishu-error.js';
import type { FeishuExchange } from '../domain/feishu-exchange.js';
import { errorName } from './answer.js';

export interface Revocation {
  /** Whether Feishu took it. Never throws for what Feishu or the network does. */
  revoke(request: {
    readonly app: AppConfig;
    /** Secret. */
    readonly token: string;
    readonly hint: 'access_token' | 'refresh_token';
  }): Promise<boolean>;
}

const API = 'oauth.revoke';
const TIMEOUT_MS = 2_000;
const MAX_WAIT_MS = 500;

export function createRevocation({ exchange }: { readonly exchange: FeishuExchange }): Revocation {
  return {
    async revoke({ app, hint, token }) {
      try {
        const reply = await exchange({
          api: API,
          appId: app.appId,
          limits: { ...TIER_4, maxWaitMs: MAX_WAIT_MS },
          method: 'POST',
          url: `${app.accountsBaseUrl}/oauth/v1/revoke`,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({
            client_id: app.appId,
            client_secret: app.appSecret,
            token,
            token_type_hint: hint,
          }).toString(),
          timeoutMs: TIMEOUT_MS,
          repeatable: true,
        });
        return reply.status === 200 && (reply.code ?? 0) === 0 && errorName(reply) === null;
      } catch (error) {
        if (error instanceof FeishuError) return false;
        throw error;
      }
    },
  };
}
