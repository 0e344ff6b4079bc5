/**
 * The tenant access token of one app (FEISHU.md §4.1): fetched when first needed, by one request however many callers
 * wait, kept in memory only, renewed when that can help, dropped when Feishu says it is dead. Not part of connecting.
 *
 * Feishu gives the same token again while 30 minutes of it remain, so asking earlier is pointless. Below that a new one
 * is fetched beside the calls, which go on with the old one: both are valid.
 */
import type { Logger } from 'pino';
import type { AppConfig } from '../../config/config.js';
import { FeishuError } from '../../domain/feishu-error.js';
import type { FeishuExchange } from '../../domain/feishu-exchange.js';
import { positiveWithin, textOf } from '../../domain/json-fields.js';
import { incomplete, judgeReply } from './judge.js';

export interface TenantTokenDeps {
  readonly app: AppConfig;
  readonly exchange: FeishuExchange;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly timeoutMs: number;
}

export interface TenantToken {
  /** @throws FeishuError when there is none to be had */
  get(): Promise<string>;
  /** Feishu refused this very token. One that has been replaced meanwhile stays. */
  invalidate(token: string): void;
}

interface Held {
  readonly token: string;
  readonly renewAt: number;
  readonly expiresAt: number;
}

const CALL = { api: 'auth.tenant_access_token', repeatable: true, codes: {} } as const;
const RENEWABLE_BELOW_MS = 30 * 60_000;
/** Clocks differ: ask when surely less than 30 minutes remain, and use no token in its last seconds. */
const SLACK_MS = 5_000;
const LONGEST_LIFE_SECONDS = 7_200;
const DEFAULT_LIFE_SECONDS = 300;
/** For so long a failure is the answer to all, so that a queue of callers does not become a queue of requests. */
const FAILURE_KEPT_MS = 1_000;
const REFUSAL_KEPT_MS = 10_000;

export function createTenantToken(deps: TenantTokenDeps): TenantToken {
  const { app, clock, exchange, logger } = deps;
  let held: Held | null = null;
  let inFlight: Promise<Held> | null = null;
  let failure: { readonly error: FeishuError; readonly until: number } | null = null;

  return {
    async get() {
      const now = clock();
      if (held !== null && now < held.renewAt) return held.token;
      if (held !== null && now < held.expiresAt - SLACK_MS) {
        renewBeside();
        return held.token;
      }
      return (await shared()).token;
    },
    invalidate(token) {
      if (held?.token === token) held = null;
    },
  };

  /** One request at a time; a failure just seen is given again instead of asked for again. */
  function shared(): Promise<Held> {
    if (inFlight !== null) return inFlight;
    if (failure !== null && clock() < failure.until) return Promise.reject(failure.error);
    const fetching = fetchToken()
      .then(keep, remember)
      .finally(() => {
        inFlight = null;
      });
    inFlight = fetching;
    return fetching;
  }

  function renewBeside(): void {
    shared().catch((error: unknown) => {
      // The token in hand still works; whoever needs a new one will get this error itself.
      logger.debug(
        { event: 'feishu.tenant_token_not_renewed', app_id: app.appId, err: error },
        'Tenant token not renewed',
      );
    });
  }

  function keep(token: Held): Held {
    held = token;
    failure = null;
    return token;
  }

  function remember(error: unknown): never {
    if (error instanceof FeishuError) {
      const keptMs = error.retryAfterMs ?? (error.kind === 'refused' ? REFUSAL_KEPT_MS : FAILURE_KEPT_MS);
      failure = { error, until: clock() + keptMs };
    }
    throw error;
  }

  async function fetchToken(): Promise<Held> {
    const reply = await exchange({
      api: CALL.api,
      appId: app.appId,
      limits: null,
      method: 'POST',
      url: `${app.openBaseUrl}/open-apis/auth/v3/tenant_access_token/internal`,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify({ app_id: app.appId, app_secret: app.appSecret }),
      timeoutMs: deps.timeoutMs,
      repeatable: CALL.repeatable,
    });
    const body = judgeReply(reply, CALL);
    const token = textOf(body['tenant_access_token']);
    if (token === null) throw incomplete(reply, CALL, 'tenant_access_token');
    return timed(token, body['expire']);
  }

  function timed(token: string, expire: unknown): Held {
    const lifeMs = (positiveWithin(expire, 1, LONGEST_LIFE_SECONDS) ?? DEFAULT_LIFE_SECONDS) * 1000;
    const expiresAt = clock() + lifeMs;
    // A life that is short from the start cannot be renewed at 30 minutes: then in its last quarter.
    const renewBelow = lifeMs > RENEWABLE_BELOW_MS ? RENEWABLE_BELOW_MS - SLACK_MS : lifeMs / 4;
    return { token, expiresAt, renewAt: expiresAt - renewBelow };
  }
}
