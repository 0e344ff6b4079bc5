/**
 * Grants without the way to them: consents given to the simulator directly, token sets that Feishu has never seen, and
 * both written to Redis as the daemon would have written them.
 */
import { randomBytes } from 'node:crypto';
import type { TokenSet } from '../../src/domain/token-set.js';
import { readTokenSet } from '../../src/oauth/token-set.js';
import { createEnvelope } from '../../src/store/envelope.js';
import { createGrantVault } from '../../src/store/grant-vault.js';
import { storeKeys } from '../../src/store/keys.js';
import type { App, User } from '../simulator/directory.js';
import type { Simulator } from '../simulator/simulator.js';
import type { RedisServer } from '../support/redis-server.js';
import { BENCH_KEY } from './daemon-process.js';

export interface GrantAtHand {
  readonly appId: string;
  readonly openId: string;
  readonly tokens: TokenSet;
  /** When the schedule looks at it; milliseconds since the epoch. */
  readonly dueAt: number;
  /** A client reads its tokens: they are kept fresh. */
  readonly isUsed?: boolean;
}

export const SCOPES = ['offline_access', 'docx:document:readonly', 'drive:drive:readonly', 'im:message'];
/** FEISHU.md §6.2. */
export const TOKEN_BYTES = 1_300;
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const REQUEST_MS = 10_000;

/** Tokens of Feishu's length; random, so that nothing can shrink them. */
export function randomTokenSet(): TokenSet {
  const token = (): string => randomBytes(TOKEN_BYTES).toString('base64url').slice(0, TOKEN_BYTES);
  return {
    accessToken: token(),
    expiresAt: Date.now() + 7_200_000,
    expiresIn: 7_200,
    refreshToken: token(),
    refreshExpiresAt: Date.now() + 604_800_000,
    tokenType: 'Bearer',
    scopes: SCOPES,
  };
}

/** The user agrees, and the device code is redeemed: tokens that the simulator knows. */
export async function consentAtFeishu(sim: Simulator, app: App, user: User): Promise<TokenSet> {
  const credentials = { client_id: app.appId, client_secret: app.appSecret };
  const link = await post(sim, '/oauth/v1/device_authorization', { ...credentials, scope: SCOPES.join(' ') });
  const outcome = sim.consent({ userCode: String(link['user_code']), user });
  if (outcome !== 'ok') throw new Error(`a consent was not taken (${outcome})`);
  const redeem = { ...credentials, grant_type: DEVICE_GRANT, device_code: String(link['device_code']) };
  const tokens = readTokenSet(await post(sim, '/open-apis/authen/v2/oauth/token', redeem), Date.now(), SCOPES);
  if (tokens === null) throw new Error('a device code was not redeemed');
  return tokens;
}

/** Writes them as the first generation of each user's grant, with their places in the schedule. */
export async function storeGrants({ client: redis }: RedisServer, grants: readonly GrantAtHand[]): Promise<void> {
  const keys = storeKeys('authd');
  const vault = createGrantVault({ redis, keys, envelope: createEnvelope([BENCH_KEY]), onDamaged: () => undefined });
  const pipeline = redis.pipeline();
  for (const { appId, dueAt, isUsed, openId, tokens } of grants) {
    const now = Date.now();
    const value = vault.seal(appId, openId, now, { tokens, authorizedAt: now, clientIds: [] });
    pipeline.set(keys.grant(appId, openId), value);
    if (isUsed === true) pipeline.hset(`${keys.grant(appId, openId)}:state`, 'used_at', now);
    pipeline.zadd(`${keys.base(appId)}:due`, dueAt, openId);
  }
  const failed = (await pipeline.exec())?.find(([error]) => error !== null)?.[0];
  if (failed) throw failed;
}

async function post(sim: Simulator, path: string, form: Readonly<Record<string, string>>) {
  const response = await fetch(sim.baseUrl + path, {
    method: 'POST',
    body: new URLSearchParams(form),
    signal: AbortSignal.timeout(REQUEST_MS),
  });
  return (await response.json()) as Record<string, unknown>;
}
