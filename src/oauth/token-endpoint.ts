/**
 * The token endpoint (FEISHU.md §6.2): sending in `createTokenEndpoint`; judging of the device grant (RFC 8628 §3.4, §3.5;
 * FEISHU.md §6.3) in `judgeTokenAnswer`, pure; of codes in code-answer.ts, of refreshes in refresh-answer.ts. A poll never throws for what Feishu or the network does, and ends a link only
 * on the RFC's final errors or a code from the table; everything else is no news.
 */
import type { AppConfig } from '../config/config.js';
import { type CallLimits, TIER_4, TOKEN_SHARE } from '../domain/call-budget.js';
import { FeishuError } from '../domain/feishu-error.js';
import type { FeishuExchange, FeishuReply } from '../domain/feishu-exchange.js';
import { objectOf } from '../domain/json-fields.js';
import type { FailureDetail } from '../domain/session.js';
import type { TokenSet } from '../domain/token-set.js';
import { errorName, faultOf, type Transient, transientError, transientReply } from './answer.js';
import { type CodeAnswer, judgeCodeAnswer } from './code-answer.js';
import { judgeRefreshAnswer, type RefreshAnswer, refreshError } from './refresh-answer.js';
import { readTokenSet } from './token-set.js';

/**
 * - `tokens`: she has consented. The device code is spent: keep the set before anything else
 * - `pending`: no consent yet
 * - `slow_down`: no consent yet, and 5 s more between polls from now on (RFC 8628 §3.5)
 * - `denied`: she declined on Feishu's page
 * - `expired`: the code is over; a new link may be made
 * - `refused`: app, user or request are not as they must be; a new link would not help
 */
export type TokenAnswer =
  | { readonly kind: 'tokens'; readonly tokenSet: TokenSet }
  | { readonly kind: 'pending' }
  | { readonly kind: 'slow_down' }
  | { readonly kind: 'denied' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'refused'; readonly detail: FailureDetail }
  | Transient;

export interface TokenAnswerContext {
  /** When the answer came, milliseconds since the epoch. */
  readonly nowMs: number;
  readonly askedScopes: readonly string[];
}

export function judgeTokenAnswer(reply: FeishuReply, context: TokenAnswerContext): TokenAnswer {
  const name = errorName(reply);
  if (name === null && (reply.code ?? 0) === 0) {
    // Whatever the status: an access token in hand is one that will not be given again.
    const tokenSet = readTokenSet(objectOf(reply.body), context.nowMs, context.askedScopes);
    if (tokenSet !== null) return { kind: 'tokens', tokenSet };
  }
  switch (name) {
    case 'authorization_pending':
      return { kind: 'pending' };
    case 'slow_down':
      return { kind: 'slow_down' };
    case 'access_denied':
      return { kind: 'denied' };
    case 'expired_token':
      return { kind: 'expired' };
    default:
      return judgeFault(reply);
  }
}

function judgeFault(reply: FeishuReply): TokenAnswer {
  const fault = faultOf(reply);
  switch (fault.class) {
    case 'retry':
      return transientReply(reply, fault.detail);
    case 'restart':
    case 'grant_dead':
      return { kind: 'expired' };
    case 'operator':
    case 'user':
    case 'bug':
      return { kind: 'refused', detail: fault.detail };
  }
}

export interface TokenEndpointDeps {
  readonly exchange: FeishuExchange;
}

export interface DevicePoll {
  readonly app: AppConfig;
  /** Secret. */
  readonly deviceCode: string;
  /** What was asked for with the device code. */
  readonly askedScopes: readonly string[];
  readonly timeoutMs: number;
  /** How long the poll may wait for its turn in the budget; else `transient` with `retryAfterMs`. */
  readonly maxWaitMs?: number;
  /** Milliseconds by the clock that the token set's times are told in. */
  readonly now: () => number;
}

export interface CodeExchange {
  readonly app: AppConfig;
  /** Secret; works once, for 5 minutes. */
  readonly code: string;
  /** Secret. */
  readonly codeVerifier: string;
  /** Byte for byte as in the authorization request. */
  readonly redirectUri: string;
  readonly askedScopes: readonly string[];
  readonly timeoutMs: number;
  /** How long the call may wait for its turn in the budget; else `transient` with `retryAfterMs`. */
  readonly maxWaitMs?: number;
  /** Milliseconds by the clock that the token set's times are told in. */
  readonly now: () => number;
}

export interface RefreshCall {
  readonly app: AppConfig;
  /** Secret; works once. */
  readonly refreshToken: string;
  /** What the token stands for when the answer names no scope. */
  readonly scopes: readonly string[];
  readonly timeoutMs: number;
  /** How long the call may wait for its turn in the budget. */
  readonly maxWaitMs: number;
  /** Asked right before sending. */
  readonly mayStillSend: () => boolean;
  /** Milliseconds by the clock that the token set's times are told in. */
  readonly now: () => number;
}

export interface TokenEndpoint {
  pollDeviceToken(poll: DevicePoll): Promise<TokenAnswer>;
  /** Never throws for what Feishu or the network does. */
  exchangeCode(exchange: CodeExchange): Promise<CodeAnswer>;
  /** Never throws for what Feishu or the network does. */
  refresh(call: RefreshCall): Promise<RefreshAnswer>;
}

/** Polls and refreshes share this name and with it one budget; neither may use all of it. */
const TOKEN_API = 'oauth.token' as const;
const POLLS: CallLimits['share'] = { name: 'poll', part: TOKEN_SHARE };
const REFRESHES: CallLimits['share'] = { name: 'refresh', part: TOKEN_SHARE };
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const MAX_WAIT_MS = 2_000;

export function createTokenEndpoint({ exchange }: TokenEndpointDeps): TokenEndpoint {
  /** Credentials in the body only: with Basic as well Feishu answers 20070. */
  const request = (app: AppConfig, grant: Readonly<Record<string, string>>) => ({
    api: TOKEN_API,
    appId: app.appId,
    method: 'POST' as const,
    url: `${app.openBaseUrl}/open-apis/authen/v2/oauth/token`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...grant, client_id: app.appId, client_secret: app.appSecret }).toString(),
  });

  return {
    async pollDeviceToken({ app, askedScopes, deviceCode, now, timeoutMs, maxWaitMs = MAX_WAIT_MS }) {
      try {
        const reply = await exchange({
          ...request(app, { grant_type: DEVICE_GRANT, device_code: deviceCode }),
          limits: { ...TIER_4, maxWaitMs, share: POLLS },
          timeoutMs,
          // Asking again does no harm; if a lost answer held the tokens, the next one says so.
          repeatable: true,
        });
        return judgeTokenAnswer(reply, { nowMs: now(), askedScopes });
      } catch (error) {
        if (error instanceof FeishuError) return transientError(error);
        throw error;
      }
    },

    async exchangeCode({ app, askedScopes, code, codeVerifier, now, redirectUri, timeoutMs, maxWaitMs = MAX_WAIT_MS }) {
      try {
        const reply = await exchange({
          ...request(app, {
            grant_type: 'authorization_code',
            code,
            code_verifier: codeVerifier,
            redirect_uri: redirectUri,
          }),
          // She is looking at the page: the whole budget may be used.
          limits: { ...TIER_4, maxWaitMs },
          timeoutMs,
          // If a lost answer held the tokens, the next one says that the code was used; she consents once more.
          repeatable: true,
        });
        return judgeCodeAnswer(reply, { nowMs: now(), askedScopes });
      } catch (error) {
        if (error instanceof FeishuError) return transientError(error);
        throw error;
      }
    },

    async refresh({ app, mayStillSend, maxWaitMs, now, refreshToken, scopes, timeoutMs }) {
      try {
        const reply = await exchange({
          ...request(app, { grant_type: 'refresh_token', refresh_token: refreshToken }),
          limits: { ...TIER_4, maxWaitMs, share: REFRESHES },
          timeoutMs,
          repeatable: false,
          mayStillSend,
        });
        return judgeRefreshAnswer(reply, { nowMs: now(), scopes });
      } catch (error) {
        if (error instanceof FeishuError) return refreshError(error);
        throw error;
      }
    },
  };
}
