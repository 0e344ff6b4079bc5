/**
 * Feishu's open platform as the daemon uses it, for one app: messages, user_info, the app's name. Puts the parts
 * together and holds their default timeouts; the parts say what they do.
 */
import type { Logger } from 'pino';
import type { AppConfig } from '../../config/config.js';
import type { FeishuExchange } from '../../domain/feishu-exchange.js';
import { createAppName } from './app-name.js';
import { createMessages, type Messages } from './messages.js';
import { createTenantCall } from './tenant-call.js';
import { createTenantToken } from './tenant-token.js';
import { createUserInfo, type UserInfo } from './user-info.js';

export interface OpenApiTimeouts {
  /** Sending and updating messages. */
  readonly messageMs: number;
  readonly userInfoMs: number;
  readonly tenantTokenMs: number;
  readonly appNameMs: number;
  /** How long a call may wait for its turn in the budget before it gives up with `rate_limited`. */
  readonly turnMs: number;
}

export interface OpenApiDeps {
  readonly app: AppConfig;
  readonly exchange: FeishuExchange;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly timeouts?: Partial<OpenApiTimeouts>;
}

export interface OpenApi extends Messages {
  readonly userInfo: UserInfo;
  /** null when it cannot be had; never rejects. */
  appName(): Promise<string | null>;
  /** Resolves when Feishu takes the app's credentials. @throws FeishuError, `refused` with a remedy when it does not */
  checkCredentials(): Promise<void>;
}

const TIMEOUTS: OpenApiTimeouts = {
  messageMs: 10_000,
  userInfoMs: 10_000,
  tenantTokenMs: 10_000,
  appNameMs: 3_000,
  turnMs: 3_000,
};

export function createOpenApi(deps: OpenApiDeps): OpenApi {
  const { app, clock, exchange, logger } = deps;
  const timeouts = { ...TIMEOUTS, ...deps.timeouts };
  const maxWaitMs = timeouts.turnMs;
  const tenantToken = createTenantToken({ app, exchange, logger, clock, timeoutMs: timeouts.tenantTokenMs });
  const tenantCall = createTenantCall(exchange, tenantToken);
  return {
    ...createMessages({ app, tenantCall, timeoutMs: timeouts.messageMs, maxWaitMs }),
    userInfo: createUserInfo({ app, exchange, timeoutMs: timeouts.userInfoMs, maxWaitMs }),
    appName: createAppName({ app, tenantCall, logger, clock, timeoutMs: timeouts.appNameMs }),
    async checkCredentials() {
      await tenantToken.get();
    },
  };
}
