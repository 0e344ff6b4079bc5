/** The store's parts over a real Redis of the test's own, with one key. */
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { DeviceLink, Session } from '../../src/domain/session.js';
import { newSessionId } from '../../src/domain/session-id.js';
import type { TokenSet } from '../../src/domain/token-set.js';
import { createEnvelope } from '../../src/store/envelope.js';
import { createGrantVault } from '../../src/store/grant-vault.js';
import { storeKeys } from '../../src/store/keys.js';
import { createSessionList } from '../../src/store/session-list.js';
import type { NewSession } from '../../src/store/session-moves.js';
import { createSessionStore } from '../../src/store/session-store.js';
import { newRedisServer } from '../support/redis-server.js';

export const APP = 'cli_0123456789abcdef';
export const USER = 'ou_user';

export async function newStore(t: Pick<TestContext, 'after'>) {
  const server = await newRedisServer();
  t.after(() => server.close());
  const redis = server.client;
  await redis.connect();
  const keys = storeKeys('test');
  const envelope = createEnvelope([{ id: 'k1', key: randomBytes(32) }]);
  const damaged: string[] = [];
  const sessions = createSessionStore({ redis, keys, envelope });
  const create = async (changes: Partial<NewSession> = {}) => {
    const appId = changes.appId ?? APP;
    return await sessions.create({
      sessionId: newSessionId(appId, Date.now()),
      appId,
      clientId: 'reports',
      openId: USER,
      scopes: ['offline_access', 'a'],
      reason: null,
      metadata: {},
      chatId: null,
      ttlMs: 60_000,
      cardLimitPerHour: 20,
      ...changes,
    });
  };
  return {
    server,
    redis,
    keys,
    envelope,
    sessions,
    vault: createGrantVault({ redis, keys, envelope, onDamaged: (error) => damaged.push(error.message) }),
    /** What the vault has put aside. */
    damaged,
    list: createSessionList({ redis, keys, get: sessions.get }),
    create,
    /** A fresh session; throws when the store made none. */
    async created(changes: Partial<NewSession> = {}): Promise<string> {
      const outcome = await create(changes);
      if (outcome.kind !== 'created') throw new Error(`not created: ${outcome.kind}`);
      return outcome.sessionId;
    },
    /** A session with a live link of number 1. */
    async linked(lifeMs = 60_000, changes: Partial<NewSession> = {}): Promise<string> {
      const id = await this.created(changes);
      await sessions.click(click(id, 'authorize', changes.openId ?? USER));
      if (!(await sessions.storeLink(id, link(1), lifeMs))) throw new Error('the link was not wanted');
      return id;
    },
  };
}

export const click = (sessionId: string, action: 'authorize' | 'agreed' | 'decline' | 'restart', operator = USER) => ({
  sessionId,
  operatorOpenId: operator,
  action,
  messageId: null,
  createdAt: null,
  holdOwner: 'click-1',
});

export const link = (number: number) => ({
  grant: 'device_code' as const,
  number,
  deviceCode: `device-code-${number}`,
  userCode: 'ABCD-EFGH',
  verificationUri: 'https://accounts.feishu.cn/verify',
  verificationUriComplete: 'https://accounts.feishu.cn/verify?user_code=ABCD-EFGH',
  expiresAt: 0,
  lifeSeconds: 60,
  intervalSeconds: 5,
});

/** The device link of a session that has one. */
export function deviceLinkOf(session: Session | null): DeviceLink {
  if (session?.link?.grant !== 'device_code') throw new Error('the session has no link of the device grant');
  return session.link;
}

export const tokens = (changes: Partial<TokenSet> = {}): TokenSet => ({
  accessToken: 'access-token-of-the-test',
  expiresAt: Date.now() + 7_200_000,
  expiresIn: 7200,
  refreshToken: 'refresh-token-of-the-test',
  refreshExpiresAt: Date.now() + 604_800_000,
  tokenType: 'Bearer',
  scopes: ['offline_access', 'a'],
  ...changes,
});

export const DETAIL = { remedy: 'Do something.', for: 'operator' } as const;
