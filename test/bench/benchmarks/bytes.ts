/**
 * What Redis holds per authorized user and per ended session. The daemon's own store takes users through a whole
 * authorization without Feishu; Redis's own count of used memory before and after each part is added or taken away
 * tells the rest. Tokens are random, so that nothing can shrink them.
 */
import { randomBytes } from 'node:crypto';
import { newSessionId } from '../../../src/domain/session-id.js';
import { createEnvelope } from '../../../src/store/envelope.js';
import { createGrantVault } from '../../../src/store/grant-vault.js';
import { storeKeys } from '../../../src/store/keys.js';
import { createRefreshStore } from '../../../src/store/refresh-store.js';
import { createSessionStore } from '../../../src/store/session-store.js';
import { newRedisServer, type RedisServer } from '../../support/redis-server.js';
import type { BenchContext, Benchmark, Row } from '../benchmark.js';
import { randomTokenSet, SCOPES, TOKEN_BYTES } from '../grants-at-hand.js';

const USERS = 2_000;
const APP = 'cli_0000000000000001';
const TTL_MS = 86_400_000;
const PROGRESS = 500;

export const bytes: Benchmark = {
  name: 'bytes',
  what: `what Redis holds for ${USERS} authorized users and their ended sessions`,
  seconds: 15,
  run: measure,
};

type Store = ReturnType<typeof openStore>;

async function measure(context: BenchContext): Promise<Row[]> {
  const redis = await newRedisServer(['--appendonly', 'no']);
  context.after(() => redis.close());
  const store = openStore(redis);
  // Scripts, connection buffers and tables of keys are there from the first user on.
  await authorize(store, 'ou_first');
  await store.sessions.cleanup(APP, -TTL_MS);
  await store.refreshStore.forget(APP, 'ou_first', false);

  const openIds = Array.from({ length: USERS }, () => `ou_${randomBytes(16).toString('hex')}`);
  for (const [i, openId] of openIds.entries()) {
    await authorize(store, openId);
    if ((i + 1) % PROGRESS === 0) context.say(`${i + 1} users are authorized`);
  }
  const unused = await usedMemory(redis);
  const dueAt = Date.now() + 6_000_000;
  for (const openId of openIds) await store.refreshStore.noteUse(APP, openId, dueAt);
  const full = await usedMemory(redis);
  const [grant, session] = [await sizeOf(redis, `*:grant:${openIds[0]}`), await sizeOf(redis, `*:session:*`)];
  const deleted = await store.sessions.cleanup(APP, -TTL_MS);
  const withoutSessions = await usedMemory(redis);
  for (const openId of openIds) await store.refreshStore.forget(APP, openId, false);
  const empty = await usedMemory(redis);
  if (deleted !== USERS) throw new Error(`${deleted} sessions were deleted instead of ${USERS}`);
  const perSession = (full - withoutSessions) / USERS;
  const perUser = (withoutSessions - empty) / USERS;
  const perUse = (full - unused) / USERS;
  context.say(`MEMORY USAGE: grant ${grant} B, record of a session ${session} B (without its places in indexes)`);
  const baseline = { what: 'two tokens', value: 2 * TOKEN_BYTES };
  return [
    {
      what: 'Redis: an authorized user (grant, places in the refresh schedule and in the index of ends)',
      measured: perUser - perUse,
      unit: 'B',
      baseline,
      goal: { of: 'ratio', bound: 'most', value: 1.4 },
    },
    {
      what: 'Redis: the same while her token is used (and the hash beside the grant)',
      measured: perUser,
      unit: 'B',
      baseline,
    },
    { what: 'Redis: an ended session until its retention ends', measured: perSession, unit: 'B' },
  ];
}

function openStore({ client: redis }: RedisServer) {
  const keys = storeKeys('authd');
  const envelope = createEnvelope([{ id: 'k1', key: randomBytes(32) }]);
  const parts = { redis, keys, envelope, onDamaged: () => undefined };
  const vault = createGrantVault(parts);
  return {
    sessions: createSessionStore(parts),
    vault,
    refreshStore: createRefreshStore({ ...parts, vault, owner: 'bench' }),
  };
}

/** The moves of the store in one authorization, as processors and clicks make them. */
async function authorize({ sessions, vault }: Store, openId: string): Promise<void> {
  const sessionId = newSessionId(APP, Date.now());
  await sessions.create({
    sessionId,
    appId: APP,
    clientId: 'reports',
    openId,
    scopes: SCOPES,
    reason: 'To put the weekly report into your documents',
    metadata: {},
    chatId: null,
    ttlMs: TTL_MS,
    cardLimitPerHour: 20,
  });
  const messageId = `om_${randomBytes(16).toString('hex')}`;
  await show(sessions, sessionId, messageId);
  const click = { sessionId, operatorOpenId: openId, messageId, createdAt: null, holdOwner: 'bench' } as const;
  await sessions.click({ ...click, action: 'authorize' });
  const link = linkOf(sessionId);
  if (!(await sessions.storeLink(sessionId, link, link.lifeSeconds * 1000))) throw new Error('the link was not wanted');
  await sessions.acked(sessionId, 'bench', 0);
  await sessions.beginPoll(sessionId, 1, 15_000);
  const tokens = randomTokenSet();
  await vault.keep(sessionId, 1, tokens);
  const verdict = await vault.settle({
    sessionId,
    openId,
    grant: { tokens, authorizedAt: Date.now(), clientIds: ['reports'] },
    generation: 0,
    now: Date.now(),
    missingScopes: [],
    missingDetail: { remedy: '', for: 'operator' },
    dueAt: Date.now() + 7 * 86_400_000,
  });
  if (verdict !== 'done') throw new Error(`the tokens were not settled: ${verdict}`);
  await show(sessions, sessionId, messageId);
}

async function show(sessions: Store['sessions'], sessionId: string, messageId: string): Promise<void> {
  const begun = await sessions.beginCard(sessionId, 'bench');
  if (begun.kind !== 'go') throw new Error(`the card was not to be shown: ${begun.kind}`);
  const outcome = begun.session.messageId === null ? 'sent' : 'patched';
  const { clicks, session } = begun;
  await sessions.endCard(sessionId, 'bench', { outcome, messageId, clicks, version: session.version });
}

const linkOf = (sessionId: string) => ({
  grant: 'device_code' as const,
  number: 1,
  deviceCode: randomBytes(32).toString('hex'),
  userCode: 'ABCD-EFGH',
  verificationUri: 'https://accounts.feishu.cn/oauth/v1/device/verify',
  verificationUriComplete: `https://accounts.feishu.cn/oauth/v1/device/verify?user_code=ABCD-EFGH&s=${sessionId}`,
  expiresAt: 0,
  lifeSeconds: 240,
  intervalSeconds: 5,
});

async function usedMemory({ client }: RedisServer): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
}

/** Of one key that matches. */
async function sizeOf({ client }: RedisServer, pattern: string): Promise<number> {
  const [key] = await client.keys(pattern);
  return key === undefined ? 0 : Number(await client.memory('USAGE', key, 'SAMPLES', 0));
}
