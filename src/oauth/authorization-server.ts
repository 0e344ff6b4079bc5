/**
 * Device authorization (RFC 8628 §3.1, §3.2; FEISHU.md §6.3): sending in `createAuthorizationServer`, judging in
 * `judgeDeviceAuthorization`, pure. Makes no decision about sessions.
 */
import type { AppConfig } from '../config/config.js';
import { TIER_4 } from '../domain/call-budget.js';
import { FeishuError } from '../domain/feishu-error.js';
import type { FeishuExchange, FeishuReply } from '../domain/feishu-exchange.js';
import { objectOf, positiveWithin, textOf } from '../domain/json-fields.js';
import type { FailureDetail } from '../domain/session.js';
import { errorName, faultOf, type Transient, transientError, transientReply } from './answer.js';

export interface DeviceAuthorization {
  /** Secret. */
  readonly deviceCode: string;
  readonly userCode: string;
  readonly verificationUri: string;
  /** As Feishu wrote it, byte by byte; `verificationUri` when there is none. */
  readonly verificationUriComplete: string;
  readonly expiresInSeconds: number;
  readonly intervalSeconds: number;
}

/**
 * - `ok`: a link to show
 * - `misconfigured`: app, scopes or request are not as they must be; asking again gives the same
 */
export type DeviceAuthorizationAnswer =
  | ({ readonly kind: 'ok' } & DeviceAuthorization)
  | { readonly kind: 'misconfigured'; readonly detail: FailureDetail }
  | Transient;

/** What vendor clients take when `expires_in` is missing or no number above zero. */
export const DEFAULT_EXPIRES_IN_SECONDS = 240;
const SHORTEST_LIFE_SECONDS = 1;
const LONGEST_LIFE_SECONDS = 3_600;
/** RFC 8628 §3.2: without `interval` the client polls every 5 s. A zero is none either. */
export const DEFAULT_INTERVAL_SECONDS = 5;
const LONGEST_INTERVAL_SECONDS = 60;

const UNUSABLE: FailureDetail = {
  remedy: "Feishu's answer lacks what a link needs. If it goes on, check the network in between and Feishu's status.",
  for: 'operator',
};

export function judgeDeviceAuthorization(reply: FeishuReply): DeviceAuthorizationAnswer {
  const refused = errorName(reply) !== null || (reply.code ?? 0) !== 0 || reply.status >= 400;
  if (refused) return judgeFault(reply);
  const link = readLink(reply);
  return link === null ? transientReply(reply, withLogId(reply)) : { kind: 'ok', ...link };
}

function judgeFault(reply: FeishuReply): DeviceAuthorizationAnswer {
  const fault = faultOf(reply);
  // No code or token is involved yet: "restart" would be the same request again, later.
  const passing = fault.class === 'retry' || fault.class === 'restart' || fault.class === 'grant_dead';
  return passing ? transientReply(reply, fault.detail) : { kind: 'misconfigured', detail: fault.detail };
}

function readLink(reply: FeishuReply): DeviceAuthorization | null {
  const answer = objectOf(reply.body);
  const deviceCode = textOf(answer['device_code']);
  const userCode = textOf(answer['user_code']);
  const plain = safeLink(answer['verification_uri']);
  const complete = safeLink(answer['verification_uri_complete']) ?? plain;
  if (deviceCode === null || userCode === null || complete === null) return null;
  return {
    deviceCode,
    userCode,
    verificationUri: plain ?? complete,
    verificationUriComplete: complete,
    expiresInSeconds:
      positiveWithin(answer['expires_in'], SHORTEST_LIFE_SECONDS, LONGEST_LIFE_SECONDS) ?? DEFAULT_EXPIRES_IN_SECONDS,
    intervalSeconds: positiveWithin(answer['interval'], 1, LONGEST_INTERVAL_SECONDS) ?? DEFAULT_INTERVAL_SECONDS,
  };
}

/** The text itself, if people may be sent there: https anywhere, http on this machine only (the simulator). */
function safeLink(value: unknown): string | null {
  const text = textOf(value);
  if (text === null || !/^[\x21-\x7E]{1,2048}$/.test(text) || !URL.canParse(text)) return null;
  const { protocol, hostname } = new URL(text);
  if (protocol === 'https:') return text;
  return protocol === 'http:' && LOOPBACK.test(hostname) ? text : null;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

const withLogId = (reply: FeishuReply): FailureDetail =>
  reply.logId === null ? UNUSABLE : { log_id: reply.logId, ...UNUSABLE };

export interface DeviceCodeRequest {
  readonly app: AppConfig;
  /** At most 50. */
  readonly scopes: readonly string[];
  readonly timeoutMs: number;
  /** How long the request may wait for its turn in the budget; else `transient` with `retryAfterMs`. */
  readonly maxWaitMs?: number;
}

export interface AuthorizationServer {
  /** Never throws for what Feishu or the network does. */
  requestDeviceCode(request: DeviceCodeRequest): Promise<DeviceAuthorizationAnswer>;
}

const API = 'oauth.device_authorization';
const MAX_WAIT_MS = 1_000;

export function createAuthorizationServer({ exchange }: { readonly exchange: FeishuExchange }): AuthorizationServer {
  return {
    async requestDeviceCode({ app, scopes, timeoutMs, maxWaitMs = MAX_WAIT_MS }) {
      try {
        const reply = await exchange({
          api: API,
          appId: app.appId,
          limits: { ...TIER_4, maxWaitMs },
          method: 'POST',
          url: `${app.accountsBaseUrl}/oauth/v1/device_authorization`,
          headers: {
            'content-type': 'application/x-www-form-urlencoded',
            authorization: basicAuth(app.appId, app.appSecret),
          },
          body: new URLSearchParams({ client_id: app.appId, scope: scopes.join(' ') }).toString(),
          timeoutMs,
          // A code nobody was shown just expires.
          repeatable: true,
        });
        return judgeDeviceAuthorization(reply);
      } catch (error) {
        if (error instanceof FeishuError) return transientError(error);
        throw error;
      }
    },
  };
}

/** As vendor clients send it: not form-encoded first, unlike RFC 6749 §2.3.1 (Feishu's ids and secrets need none). */
const basicAuth = (id: string, secret: string): string => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
