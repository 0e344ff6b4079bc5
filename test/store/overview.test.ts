/** What the status page counts of an app: right through every change of a grant, and bounded whatever Redis holds. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createOverview } from '../../src/store/overview.js';
import { createRefreshStore } from '../../src/store/refresh-store.js';
import { APP, click, DETAIL, link, newStore, tokens } from './new-store.js';

const HOUR = 3_600_000;

async function newOverview(t: TestContext) {
  const store = await newStore(t);
  const read = createOverview(store);
  return { ...store, refreshes: createRefreshStore({ ...store, owner: 'this process' }), look: () => read(APP) };
}

type Overview = Awaited<ReturnType<typeof newOverview>>;

async function authorized({ created, sessions, vault }: Overview, openId: string): Promise<number> {
  const sessionId = await created({ openId });
  await sessions.click(click(sessionId, 'authorize', openId));
  assert.ok(await sessions.storeLink(sessionId, link(1), 60_000));
  await vault.keep(sessionId, 1, tokens());
  const generation = (await vault.read(APP, openId))?.generation ?? 0;
  const grant = { tokens: tokens(), authorizedAt: Date.now(), clientIds: ['reports'] };
  const settled = { sessionId, openId, grant, generation, now: Date.now(), missingScopes: [], missingDetail: DETAIL };
  assert.equal(await vault.settle({ ...settled, dueAt: null }), 'done');
  return (await vault.read(APP, openId))?.generation ?? 0;
}

const grantsOf = async ({ look }: Overview): Promise<number[]> => {
  const { suspended, reauthorizationRequired, revoked } = await look();
  return [suspended, reauthorizationRequired, revoked];
};

const kept = { delayMs: 1_000, detail: DETAIL, unknown: false } as const;
const ended = { detail: DETAIL, wipe: false, card: null, explained: true } as const;

describe('the overview of an app', () => {
  it('follows a grant from one status to the next', async (t) => {
    const store = await newOverview(t);
    const { refreshes } = store;
    const ref = { appId: APP, openId: 'ou_a', generation: await authorized(store, 'ou_a') };
    assert.deepEqual(await grantsOf(store), [0, 0, 0]);
    await refreshes.keep(ref, { ...kept, suspended: true });
    assert.deepEqual(await grantsOf(store), [1, 0, 0]);
    await refreshes.keep(ref, { ...kept, suspended: false });
    assert.deepEqual(await grantsOf(store), [0, 0, 0], 'Feishu was only away this time');
    await refreshes.keep(ref, { ...kept, suspended: true });
    await refreshes.end(ref, { ...ended, status: 'reauthorization_required' });
    assert.deepEqual(await grantsOf(store), [0, 1, 0]);
    await authorized(store, 'ou_a');
    assert.deepEqual(await grantsOf(store), [0, 0, 0], 'she has consented again');
  });

  it('counts a suspended grant that a refresh has brought back as active', async (t) => {
    const store = await newOverview(t);
    const { refreshes, vault } = store;
    const ref = { appId: APP, openId: 'ou_a', generation: await authorized(store, 'ou_a') };
    await refreshes.keep(ref, { ...kept, suspended: true });
    const before = await vault.read(APP, 'ou_a');
    assert.ok(before);
    const successor = { generation: ref.generation + 1, grant: before.grant, dueAt: null };
    assert.equal(await refreshes.commit(ref, successor), 'done');
    assert.deepEqual(await grantsOf(store), [0, 0, 0]);
  });

  it('counts withdrawn grants until they are forgotten, and those whose end has come by itself', async (t) => {
    const store = await newOverview(t);
    const { refreshes } = store;
    await authorized(store, 'ou_a');
    const ref = { appId: APP, openId: 'ou_b', generation: await authorized(store, 'ou_b') };
    await refreshes.forget(APP, 'ou_a', true);
    await refreshes.end(ref, { ...ended, status: 'revoked', wipe: true });
    assert.deepEqual(await grantsOf(store), [0, 0, 2]);
    await refreshes.forget(APP, 'ou_b', false);
    assert.deepEqual(await grantsOf(store), [0, 0, 1]);
    await store.redis.zadd(`${store.keys.base(APP)}:grants`, Date.now() - 1_000, 'ou_c');
    assert.deepEqual(await grantsOf(store), [0, 1, 1]);
  });

  it('counts the sessions of the last hour by state and failure, and names the newest', async (t) => {
    const store = await newOverview(t);
    const { created, keys, look, redis, sessions } = store;
    const before = await created({ openId: 'ou_0' });
    await redis.zadd(`${keys.base(APP)}:sessions`, Date.now() - HOUR - 1_000, before);
    const failed = await created({ openId: 'ou_1' });
    await sessions.fail(failed, 'user_unreachable', DETAIL);
    const declined = await created({ openId: 'ou_2' });
    await sessions.click(click(declined, 'decline', 'ou_2'));
    const { newest, ...counts } = (await look()).sessions;
    assert.deepEqual(counts, {
      created: 2,
      counted: 2,
      byState: { failed: 1, rejected: 1 },
      byFailure: { user_unreachable: 1 },
    });
    const byId = new Map(newest.map((session) => [session.sessionId, session]));
    assert.deepEqual([...byId.keys()].toSorted(), [declined, failed].toSorted());
    const { createdAt, endedAt, ...glance } = byId.get(failed) ?? assert.fail();
    assert.deepEqual(glance, {
      sessionId: failed,
      state: 'failed',
      failureReason: 'user_unreachable',
      clientId: 'reports',
    });
    assert.ok(endedAt !== null && endedAt >= createdAt && Date.now() - createdAt < 60_000);
  });

  it('looks at the newest 500 sessions at most, and says so', async (t) => {
    const { keys, look, redis } = await newOverview(t);
    const fill = `for i = 1, 5000 do
      redis.call('HSET', KEYS[1] .. ':session:as_' .. i, 'state', i > 4800 and 'pending' or 'expired', 'created_at', ARGV[1])
      redis.call('ZADD', KEYS[1] .. ':sessions', ARGV[1] + i, 'as_' .. i) end`;
    await redis.eval(fill, 1, keys.base(APP), Date.now() - 10_000);
    const { newest, ...counts } = (await look()).sessions;
    assert.deepEqual(counts, {
      created: 5_000,
      counted: 500,
      byState: { pending: 200, expired: 300 },
      byFailure: {},
    });
    assert.deepEqual([newest.length, newest[0]?.sessionId], [8, 'as_5000']);
    await redis.config('RESETSTAT');
    await look();
    const calls = /cmdstat_hmget:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1];
    assert.ok(Number(calls) <= 501, `${calls} reads of records`);
  });

  it('tells that refreshes halt and for how long, and how many cards got no click', async (t) => {
    const { keys, look, redis } = await newOverview(t);
    assert.deepEqual([(await look()).refreshHalt, (await look()).unclicked], [null, 0]);
    const detail = { feishu_code: 20074, remedy: 'Switch it on.', for: 'operator' };
    const halt = { until: Date.now() + 30_000, detail: JSON.stringify(detail) };
    await redis.hset(`${keys.base(APP)}:refresh:halt`, halt);
    await redis.set(`${keys.base(APP)}:unclicked`, 6);
    const { refreshHalt, unclicked } = await look();
    assert.equal(unclicked, 6);
    assert.deepEqual(refreshHalt?.detail, detail);
    assert.ok(refreshHalt.forMs > 20_000 && refreshHalt.forMs <= 30_000);
    await redis.hset(`${keys.base(APP)}:refresh:halt`, { until: Date.now() - 1 });
    assert.equal((await look()).refreshHalt, null);
  });
});
