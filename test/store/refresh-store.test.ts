import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createRefreshStore } from '../../src/store/refresh-store.js';
import { APP, DETAIL, newStore, tokens, USER } from './new-store.js';

const LEASE = 10_000;
const SETTLE = 1_000;

async function newGrants(t: Pick<TestContext, 'after'>) {
  const store = await newStore(t);
  const process = (owner: string) => createRefreshStore({ ...store, owner, settleMs: SETTLE });
  /** A user with a grant; gives its generation. */
  const give = async (openId = USER, dueAt: number | null = null): Promise<number> => {
    const id = await store.linked(60_000, { openId });
    await store.vault.keep(id, 1, tokens());
    const { now } = await store.vault.look(APP, openId);
    const settled = await store.vault.settle({
      sessionId: id,
      openId,
      grant: { tokens: tokens(), authorizedAt: now, clientIds: ['reports'] },
      generation: (await store.vault.look(APP, openId)).stored?.generation ?? 0,
      now,
      missingScopes: [],
      missingDetail: DETAIL,
      dueAt,
    });
    assert.equal(settled, 'done');
    return (await store.vault.read(APP, openId))?.generation ?? 0;
  };
  const next = (generation: number) => ({
    generation: generation + 1,
    grant: { tokens: tokens({ accessToken: 'the-next-one' }), authorizedAt: 1, clientIds: ['reports'] },
    dueAt: null,
  });
  const due = () => store.redis.zrange(`${store.keys.base(APP)}:due`, '0', '-1');
  return { ...store, process, give, next, due, a: process('a'), b: process('b') };
}

describe('refresh store', () => {
  it('gives the lease to one process at a time, and to the next when it ends', async (t) => {
    const store = await newGrants(t);
    const ref = { appId: APP, openId: USER, generation: await store.give() };
    assert.deepEqual((await store.a.begin(ref, LEASE, false)).kind, 'go');
    const busy = await store.b.begin(ref, LEASE, false);
    assert.ok(busy.kind === 'busy' && busy.ms > 0 && busy.ms <= LEASE);
    assert.equal(await store.b.renew(ref, LEASE), false);
    assert.equal(await store.a.renew(ref, LEASE), true);
    assert.equal(await store.a.commit(ref, store.next(ref.generation)), 'done');
    assert.equal((await store.b.begin({ ...ref, generation: ref.generation + 1 }, LEASE, false)).kind, 'go');
  });

  it('tells whoever comes next that the token may have been sent, and by whom', async (t) => {
    const store = await newGrants(t);
    const ref = { appId: APP, openId: USER, generation: await store.give() };
    await store.a.begin(ref, 1, false);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const second = await store.b.begin(ref, LEASE, false);
    assert.ok(second.kind === 'go' && second.sentBefore === 'a');
    await store.b.keep(ref, { delayMs: 0, detail: null, suspended: false, unknown: true });
    const third = await store.process('c').begin(ref, LEASE, false);
    assert.ok(third.kind === 'go' && third.sentBefore === 'a', 'it stays open as long as nobody knows');
    await store.process('c').keep(ref, { delayMs: 0, detail: null, suspended: false, unknown: false });
    const fourth = await store.a.begin(ref, LEASE, false);
    assert.ok(fourth.kind === 'go' && fourth.sentBefore === null);
  });

  it('hears nothing of a process whose lease somebody else has taken over', async (t) => {
    const store = await newGrants(t);
    const ref = { appId: APP, openId: USER, generation: await store.give() };
    await store.a.begin(ref, 1, false);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await store.b.begin(ref, 1, false);
    await store.a.keep(ref, { delayMs: 60_000, detail: DETAIL, suspended: true, unknown: false });
    assert.equal((await store.vault.look(APP, USER)).marks.status, null);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const next = await store.process('c').begin(ref, LEASE, false);
    assert.ok(next.kind === 'go' && next.sentBefore !== null, 'what was sent meanwhile is not forgotten');
  });

  it('takes a lease that Redis has lost again when it is renewed, and knows that the token may have been sent', async (t) => {
    const store = await newGrants(t);
    const ref = { appId: APP, openId: USER, generation: await store.give() };
    await store.a.begin(ref, LEASE, false);
    await store.redis.del(`${store.keys.grant(APP, USER)}:state`);
    assert.equal(await store.a.renew(ref, LEASE), true);
    assert.equal((await store.b.begin(ref, LEASE, false)).kind, 'busy');
    await store.redis.hdel(`${store.keys.grant(APP, USER)}:state`, 'lease', 'lease_until');
    const next = await store.b.begin(ref, LEASE, false);
    assert.ok(next.kind === 'go' && next.sentBefore === 'a');
    assert.equal(await store.a.renew(ref, LEASE), false, 'not one that somebody else has now');
  });

  it('gives no lease for a while after Redis was started again: its last second may be lost', async (t) => {
    const store = await newGrants(t);
    const ref = { appId: APP, openId: USER, generation: await store.give() };
    await store.a.noteRun(APP);
    const before = await store.server.snapshot();
    await store.b.begin(ref, LEASE, false);
    await store.server.kill();
    await store.server.start({ from: before });
    const wait = await store.a.begin(ref, LEASE, true);
    assert.ok(wait.kind === 'busy' && wait.ms > SETTLE / 2 && wait.ms <= SETTLE, JSON.stringify(wait));
    assert.equal(await store.b.renew(ref, LEASE), true, 'who had the lease takes it again');
    assert.equal((await store.b.begin(ref, LEASE, false)).kind, 'go');
    assert.equal(await store.b.commit(ref, store.next(ref.generation)), 'done');
    await new Promise((resolve) => setTimeout(resolve, SETTLE));
    const next = { ...ref, generation: ref.generation + 1 };
    assert.equal((await store.a.begin(next, LEASE, false)).kind, 'go');
    await store.redis.acl('SETUSER', 'default', '-info');
    assert.equal((await store.a.begin(next, LEASE, false)).kind, 'go', 'where INFO is forbidden nobody waits');
  });

  it('takes a successor of a generation that Redis has lost, and tells whoever is late that there is another', async (t) => {
    const store = await newGrants(t);
    const ref = { appId: APP, openId: USER, generation: await store.give() };
    const lost = { ...ref, generation: ref.generation + 1 };
    assert.equal(await store.a.commit(lost, store.next(lost.generation)), 'done');
    assert.equal((await store.vault.look(APP, USER)).stored?.generation, lost.generation + 1);
    const kept = await store.b.keep(ref, { delayMs: 0, detail: null, suspended: false, unknown: false });
    assert.equal(kept, null);
  });

  it('takes a successor although its predecessor was called dead meanwhile, but never over a newer consent', async (t) => {
    const store = await newGrants(t);
    const ref = { appId: APP, openId: USER, generation: await store.give() };
    await store.a.begin(ref, LEASE, false);
    const end = {
      status: 'reauthorization_required',
      detail: DETAIL,
      wipe: false,
      card: 'ask',
      explained: true,
    } as const;
    assert.equal(await store.b.end(ref, end), 'ended');
    assert.equal((await store.vault.look(APP, USER)).marks.status, 'reauthorization_required');
    assert.equal(await store.a.commit(ref, store.next(ref.generation)), 'done');
    assert.equal((await store.vault.look(APP, USER)).marks.status, null);
    assert.equal(await store.a.commit(ref, store.next(ref.generation)), 'present', 'a repeat changes nothing');

    const late = { ...ref, generation: ref.generation + 1 };
    const consent = await store.give();
    assert.equal(await store.a.commit(late, store.next(late.generation)), 'changed');
    assert.equal(await store.a.end(late, end), 'changed', 'nor does a late refusal end it');
    assert.equal((await store.vault.look(APP, USER)).stored?.generation, consent);
    assert.equal(await store.a.forget(APP, USER, false), true);
    assert.equal(await store.a.commit({ ...ref, generation: consent }, store.next(consent)), 'gone');
  });

  it('halts a whole app, then lets one try and all others wait for what comes of it', async (t) => {
    const store = await newGrants(t);
    const one = { appId: APP, openId: 'ou_one', generation: await store.give('ou_one') };
    const two = { appId: APP, openId: 'ou_two', generation: await store.give('ou_two') };
    await store.a.begin(one, LEASE, false);
    const kept = { delayMs: 0, detail: DETAIL, suspended: true, unknown: false, haltMs: 1_000 };
    assert.equal(await store.a.keep(one, kept), 1);
    const halted = await store.b.begin(two, LEASE, false);
    assert.ok(halted.kind === 'halted' && halted.detail?.remedy === DETAIL.remedy);
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    assert.equal((await store.b.begin(two, LEASE, false)).kind, 'go');
    assert.equal((await store.a.begin(one, LEASE, false)).kind, 'halted');
    assert.equal(await store.b.commit(two, store.next(two.generation)), 'done');
    assert.equal((await store.a.begin(one, LEASE, false)).kind, 'go');
  });

  it('stops ending grants when far more than one in a hundred would end', async (t) => {
    const store = await newGrants(t);
    const end = {
      status: 'reauthorization_required',
      detail: DETAIL,
      wipe: false,
      card: 'ask',
      explained: false,
    } as const;
    const verdicts: string[] = [];
    for (let i = 0; i < 12; i += 1) {
      const openId = `ou_${i}`;
      verdicts.push(await store.a.end({ appId: APP, openId, generation: await store.give(openId) }, end));
    }
    assert.deepEqual(verdicts, [...Array(5).fill('ended'), ...Array(7).fill('braked')]);
    const ref = { appId: APP, openId: 'ou_known', generation: await store.give('ou_known') };
    assert.equal(await store.a.end(ref, { ...end, explained: true }), 'ended', 'what we can explain is no alarm');
    const minute = Math.floor((await store.vault.look(APP, USER)).now / 60_000);
    await store.redis.incrby(`${store.keys.base(APP)}:refresh:tries:${minute}`, 2_000);
    const calm = { appId: APP, openId: 'ou_calm', generation: await store.give('ou_calm') };
    assert.equal(await store.a.end(calm, end), 'ended', 'one in a hundred is no alarm');
  });

  it('hands out what is due once, oldest first, and again when its job was lost', async (t) => {
    const store = await newGrants(t);
    const { now } = await store.vault.look(APP, USER);
    await store.give('ou_later', now + 60_000);
    await store.give('ou_second', now - 1_000);
    await store.give('ou_first', now - 2_000);
    assert.deepEqual(await store.a.takeDue(APP, 10, 50), ['ou_first', 'ou_second']);
    assert.deepEqual(await store.b.takeDue(APP, 10, 50), []);
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.deepEqual(await store.b.takeDue(APP, 1, 50), ['ou_first']);
    await store.a.noteUse(APP, 'ou_later', now - 5_000);
    assert.deepEqual(await store.a.takeDue(APP, 1, 50), ['ou_later'], 'a use brings it forward');
    await store.a.forget(APP, 'ou_later', false);
    assert.deepEqual((await store.due()).sort(), ['ou_first', 'ou_second']);
    await store.a.noteUse(APP, 'ou_later', now);
    assert.equal((await store.due()).length, 2, 'and never back');
  });
});
