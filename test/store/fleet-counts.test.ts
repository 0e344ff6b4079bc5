/** The numbers of the fleet follow what happens to sessions and grants, without a walk over them. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { grantEndsAt } from '../../src/domain/refresh-plan.js';
import { createFleetCounts } from '../../src/store/fleet-counts.js';
import { createRefreshStore } from '../../src/store/refresh-store.js';
import { APP, click, DETAIL, link, newStore, tokens, USER } from './new-store.js';

const DAY = 86_400_000;

async function newCounts(t: TestContext) {
  const store = await newStore(t);
  const count = createFleetCounts(store);
  const refreshes = createRefreshStore({ ...store, owner: 'this process' });
  return { ...store, refreshes, counts: async () => await count(APP, [3_600_000, 8 * DAY]) };
}

/** A session of a user that ends with her grant. */
async function authorized(store: Awaited<ReturnType<typeof newCounts>>, openId: string, changes = {}): Promise<void> {
  const sessionId = await store.created({ openId });
  await store.sessions.click(click(sessionId, 'authorize', openId));
  assert.ok(await store.sessions.storeLink(sessionId, link(1), 60_000));
  const given = tokens(changes);
  await store.vault.keep(sessionId, 1, given);
  const verdict = await store.vault.settle({
    sessionId,
    openId,
    grant: { tokens: given, authorizedAt: Date.now(), clientIds: ['reports'] },
    generation: (await store.vault.read(APP, openId))?.generation ?? 0,
    now: Date.now(),
    missingScopes: [],
    missingDetail: DETAIL,
    dueAt: null,
  });
  assert.equal(verdict, 'done');
}

describe('the numbers of the fleet', () => {
  it('count sessions from their creation to their end, whatever ends them, and through their deletion', async (t) => {
    const store = await newCounts(t);
    const { counts, sessions } = store;
    assert.deepEqual(await counts(), { liveSessions: 0, grants: 0, expiring: [0, 0] });
    const ids: string[] = [];
    for (let i = 0; i < 4; i += 1) ids.push(await store.created({ openId: `ou_${i}` }));
    assert.equal((await counts()).liveSessions, 4);
    const [declined = '', failed = '', invalidated = ''] = ids;
    await sessions.click(click(declined, 'decline', 'ou_0'));
    await sessions.fail(failed, 'upstream_error', DETAIL);
    await sessions.invalidate(invalidated);
    assert.equal((await counts()).liveSessions, 1);
    await sessions.cleanup(APP, -1_000);
    assert.equal((await counts()).liveSessions, 1);
  });

  it('count a grant once, however often it is given, until it is forgotten', async (t) => {
    const store = await newCounts(t);
    await authorized(store, 'ou_a');
    await authorized(store, 'ou_b', { refreshToken: null, refreshExpiresAt: null, expiresAt: Date.now() + 1_800_000 });
    assert.deepEqual(await store.counts(), { liveSessions: 0, grants: 2, expiring: [1, 2] });
    await authorized(store, 'ou_b');
    assert.deepEqual(await store.counts(), { liveSessions: 0, grants: 2, expiring: [0, 2] });
    await store.refreshes.forget(APP, 'ou_a', false);
    assert.equal((await store.counts()).grants, 1);
    await store.refreshes.forget(APP, 'ou_a', false);
    assert.equal((await store.counts()).grants, 1);
  });

  it('do not count a grant that was put aside because it does not open', async (t) => {
    const store = await newCounts(t);
    await authorized(store, USER);
    await store.redis.set(store.keys.grant(APP, USER), '5:damaged');
    assert.equal(await store.vault.read(APP, USER), null);
    assert.equal((await store.counts()).grants, 0);
  });

  it('follow a grant through its refresh to its end', async (t) => {
    const store = await newCounts(t);
    const { counts, refreshes, vault } = store;
    await authorized(store, USER, { refreshExpiresAt: Date.now() + 1_800_000 });
    assert.deepEqual(await counts(), { liveSessions: 0, grants: 1, expiring: [1, 1] });
    const before = await vault.read(APP, USER);
    assert.ok(before);
    const ref = { appId: APP, openId: USER, generation: before.generation };
    assert.equal((await refreshes.begin(ref, 10_000, false)).kind, 'go');
    const next = { ...ref, generation: ref.generation + 1 };
    const grant = { ...before.grant, tokens: tokens() };
    assert.equal(await refreshes.commit(ref, { generation: next.generation, grant, dueAt: null }), 'done');
    assert.deepEqual(await counts(), { liveSessions: 0, grants: 1, expiring: [0, 1] });
    await refreshes.keep(next, { delayMs: 1_000, detail: DETAIL, suspended: true, unknown: false });
    assert.equal((await counts()).grants, 1, 'a suspended grant is kept');
    const end = {
      status: 'reauthorization_required',
      detail: DETAIL,
      wipe: false,
      card: null,
      explained: true,
    } as const;
    assert.equal(await refreshes.end(next, end), 'ended');
    assert.deepEqual(await counts(), { liveSessions: 0, grants: 0, expiring: [0, 0] });
  });

  it('take a grant to end with its refresh token, a year after consent at the latest, or with a lone access token', () => {
    const set = { expiresAt: 7_200_000, expiresIn: 7_200, refreshToken: 'r', refreshExpiresAt: 30 * DAY };
    const endOf = (more: Partial<typeof set> | { refreshToken: null } | { refreshExpiresAt: null }, authorizedAt = 0) =>
      grantEndsAt({ tokens: { ...set, ...more }, authorizedAt });
    assert.equal(endOf({}), 30 * DAY);
    assert.equal(endOf({}, -360 * DAY), 5 * DAY);
    assert.equal(endOf({ refreshExpiresAt: null }), 7 * DAY, 'where Feishu names no life');
    assert.equal(endOf({ refreshToken: null }), 7_200_000);
  });
});

describe('a click on a session whose time is over', () => {
  it('says once that the session has expired by it', async (t) => {
    const store = await newStore(t);
    const id = await store.created({ ttlMs: 1 });
    await sleep(5);
    const first = await store.sessions.click(click(id, 'authorize'));
    assert.deepEqual([first.verdict, 'expiredNow' in first && first.expiredNow], ['ended', true]);
    const second = await store.sessions.click(click(id, 'authorize'));
    assert.deepEqual([second.verdict, 'expiredNow' in second && second.expiredNow], ['ended', false]);
  });
});
