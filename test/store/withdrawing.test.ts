import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createRefreshStore } from '../../src/store/refresh-store.js';
import { APP, click, DETAIL, link, newStore, tokens, USER } from './new-store.js';

const END = { detail: DETAIL, explained: true, clientIds: ['reports', 'wiki'] } as const;

async function newGrant(t: Pick<TestContext, 'after'>) {
  const store = await newStore(t);
  const grants = createRefreshStore({ ...store, owner: 'a' });
  const give = async (): Promise<number> => {
    const id = await store.created();
    await store.sessions.click(click(id, 'authorize'));
    await store.sessions.storeLink(id, link(1), 60_000);
    await store.vault.keep(id, 1, tokens());
    const { now, stored } = await store.vault.look(APP, USER);
    const settled = await store.vault.settle({
      sessionId: id,
      openId: USER,
      grant: { tokens: tokens(), authorizedAt: now, clientIds: ['reports', 'wiki'] },
      generation: stored?.generation ?? 0,
      now,
      missingScopes: [],
      missingDetail: DETAIL,
      dueAt: now + 60_000,
    });
    assert.equal(settled, 'done');
    return (await store.vault.read(APP, USER))?.generation ?? 0;
  };
  const look = async () => (await store.vault.look(APP, USER)).marks;
  const keys = () => store.redis.keys(`*:grant:${USER}*`);
  const due = () => store.redis.zscore(`${store.keys.base(APP)}:due`, USER);
  const next = (generation: number) => ({
    generation: generation + 1,
    grant: { tokens: tokens(), authorizedAt: 1, clientIds: ['reports'] },
    dueAt: Date.now() + 3_600_000,
  });
  return { ...store, grants, give, look, keys, due, next };
}

describe('a withdrawn grant', { concurrency: 4 }, () => {
  it('leaves who had it and since when; a second withdrawal changes nothing', async (t) => {
    const store = await newGrant(t);
    const only = { generation: await store.give(), clientIds: ['reports', 'wiki'] };
    assert.equal(await store.grants.forget(APP, USER, true, only), true);
    const marks = await store.look();
    assert.deepEqual([marks.status, marks.clientIds], ['revoked', ['reports', 'wiki']]);
    assert.ok(marks.noticeAt !== null && Number(await store.due()) === marks.noticeAt);
    assert.equal(await store.grants.forget(APP, USER, true), false);
    assert.deepEqual(await store.look(), marks);
    await store.grants.sent(APP, USER, 'notice');
    assert.equal((await store.look()).noticeAt, null);
    await store.give();
    const fresh = await store.look();
    assert.deepEqual([fresh.status, fresh.clientIds], [null, []], 'a new consent starts from nothing');
  });

  it('is the one that was read, or none', async (t) => {
    const store = await newGrant(t);
    const generation = await store.give();
    assert.equal(await store.grants.forget(APP, USER, true, { generation: generation - 1, clientIds: [] }), false);
    assert.equal((await store.vault.read(APP, USER))?.generation, generation);
  });

  it('that a client has deleted leaves nothing, whatever comes late', async (t) => {
    const store = await newGrant(t);
    const generation = await store.give();
    assert.equal(await store.grants.forget(APP, USER, false, { generation, clientIds: [] }), true);
    await store.grants.noteUse(APP, USER, Date.now());
    await store.grants.lookAt(APP, USER, Date.now());
    await store.grants.sent(APP, USER, 'ask');
    assert.equal(await store.grants.suspect(APP, USER), false);
    assert.deepEqual([await store.keys(), await store.due()], [[], null]);
  });

  it('of somebody who has left owes her no card, whatever it owed before', async (t) => {
    const store = await newGrant(t);
    const ref = { appId: APP, openId: USER, generation: await store.give() };
    const dead = { ...END, status: 'reauthorization_required', wipe: false, card: 'ask' } as const;
    assert.equal(await store.grants.end(ref, dead), 'ended');
    assert.equal((await store.look()).ask, true);
    assert.equal(await store.grants.end(ref, { ...END, status: 'revoked', wipe: true, card: null }), 'ended');
    const marks = await store.look();
    assert.deepEqual([marks.status, marks.ask, marks.noticeAt], ['revoked', false, null]);
    assert.deepEqual(marks.clientIds, ['reports', 'wiki']);
    assert.equal(await store.due(), null);
  });
});

describe('a suspicion', { concurrency: 4 }, () => {
  it('makes the grant due now, and outlives a refresh whose answer may be older', async (t) => {
    const store = await newGrant(t);
    const ref = { appId: APP, openId: USER, generation: await store.give() };
    await store.grants.begin(ref, 10_000, false);
    assert.equal(await store.grants.suspect(APP, USER), true);
    const { suspectAt } = await store.look();
    assert.equal(Number(await store.due()), suspectAt);
    assert.equal(await store.grants.commit(ref, store.next(ref.generation)), 'done');
    assert.equal((await store.look()).suspectAt, suspectAt);
    assert.ok(Number(await store.due()) <= Date.now() + 1_000);
    await store.grants.trust(APP, USER);
    assert.equal((await store.look()).suspectAt, null);
  });
});
