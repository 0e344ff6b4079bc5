/** The walk that seals everything anew: nothing lost, nothing opened for another owner, resumable, one at a time. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { countSealedWith, newKey, newRing } from './new-ring.js';
import { APP, click, deviceLinkOf, link, newStore, tokens, USER } from './new-store.js';

const REASON = 'because';

/** A store written with k1, and a process that has k2 in front of it. `stays`: the former process goes on. */
async function rotated(t: TestContext, options: { readonly stays?: boolean } = {}) {
  const store = await newStore(t);
  const [k1, k2] = [newKey('k1'), newKey('k2')];
  const before = newRing(store.redis, store.keys, [k1, k2]);
  await before.keyring.join();
  if (options.stays !== true) await before.keyring.leave();
  await sleep(2);
  const after = newRing(store.redis, store.keys, [k2, k1]);
  await after.keyring.join();
  const session = async (ring = before): Promise<string> => {
    const id = await store.created({ clientId: `c${Math.random()}` });
    const text = { reason: REASON, metadata: {} };
    const context = { appId: APP, owner: id, purpose: 'session-text', generation: 0 } as const;
    const sealed = ring.envelope.seal(JSON.stringify(text), context).toString('base64');
    await store.redis.hset(store.keys.session(APP, id), 'text', sealed);
    await ring.sessions.click(click(id, 'authorize'));
    assert.ok(await ring.sessions.storeLink(id, link(1), 60_000));
    return id;
  };
  return { ...store, before, after, k1, k2, session };
}

describe('re-seal', { concurrency: 4 }, () => {
  it('seals grants, texts, links and waiting tokens anew, and leaves everything else as it is', async (t) => {
    const { after, before, k2, keys, redis, session } = await rotated(t);
    await before.grant(APP, USER, 7_000);
    const [linked, kept] = [await session(), await session()];
    await before.vault.keep(kept, 1, tokens({ accessToken: 'kept' }));
    await redis.hset(`${keys.grant(APP, USER)}:state`, 'status', 'suspended');
    await redis.hset(keys.grant(APP, 'ou_hash'), 'of', 'another type');
    await redis.expire(keys.session(APP, linked), 1_000);
    await redis.expire(keys.grant(APP, USER), 1_000);
    const strip = async (id: string) => {
      const { link: _, text: __, ...rest } = await redis.hgetall(keys.session(APP, id));
      return rest;
    };
    const plain = [await strip(linked), await strip(kept)];
    assert.ok((await countSealedWith(redis, 'k1')) >= 5);

    const [first, second] = await after.walk();
    assert.deepEqual([first?.pass.resealed, second?.pass.resealed, second?.dropped], [5, 0, ['k1']]);
    assert.deepEqual(second?.pass.found, { k2: 5 });
    assert.equal(await countSealedWith(redis, 'k1'), 0);
    const alone = newRing(redis, keys, [k2]);
    assert.deepEqual([(await alone.vault.read(APP, USER))?.generation, alone.damaged], [7_000, []]);
    const opened = await alone.sessions.get(linked);
    assert.deepEqual([opened?.reason, deviceLinkOf(opened).deviceCode], [REASON, 'device-code-1']);
    assert.equal((await alone.vault.kept(kept))?.accessToken, 'kept');
    assert.deepEqual([await strip(linked), await strip(kept)], plain);
    assert.deepEqual(await redis.hgetall(`${keys.grant(APP, USER)}:state`), { status: 'suspended' });
    for (const key of [keys.session(APP, linked), keys.grant(APP, USER)]) assert.ok((await redis.ttl(key)) > 900);
  });

  it('puts what does not open aside and names it once; a moved value opens for nobody', async (t) => {
    const { after, before, k1, k2, keys, redis, session } = await rotated(t);
    await before.grant(APP, 'ou_a');
    await before.grant(APP, 'ou_z');
    const moved = (await redis.getBuffer(keys.grant(APP, 'ou_a'))) ?? '';
    await redis.set(keys.grant(APP, 'ou_thief'), moved);
    await redis.set(keys.grant(APP, 'ou_rubbish'), '5:rubbish');
    await redis.set(keys.grant(APP, 'ou_odd'), Buffer.from('5:\x01\x02k\xff and so on', 'latin1'));
    const [victim, other] = [await session(), await session()];
    const stolen = await redis.hmget(keys.session(APP, victim), 'text', 'link');
    await before.vault.keep(other, 1, tokens());
    await redis.hset(keys.session(APP, other), 'text', stolen[0] ?? '', 'link', stolen[1] ?? '');
    await redis.copy(`${keys.session(APP, other)}:tokens`, `${keys.session(APP, victim)}:tokens`);

    const passes = await after.walk();
    assert.deepEqual(after.damaged.toSorted(), [other, other, victim, 'ou_odd', 'ou_rubbish', 'ou_thief'].toSorted());
    assert.deepEqual(
      passes.map(({ pass }) => pass.aside),
      [6, 6],
      'they are counted each time',
    );
    assert.deepEqual(passes.at(-1)?.dropped, ['k1'], 'and hold nothing up');
    assert.deepEqual(await redis.getBuffer(`${keys.grant(APP, 'ou_thief')}:damaged:1000`), moved);
    assert.equal(await redis.exists(keys.grant(APP, 'ou_thief'), `${keys.session(APP, victim)}:tokens`), 0);
    assert.equal(await redis.hget(keys.session(APP, other), 'text:damaged'), stolen[0]);
    assert.ok(await after.vault.read(APP, 'ou_z'), 'the walk went on');
    for (const ring of [newRing(redis, keys, [k1]), newRing(redis, keys, [k2])]) {
      for (const openId of ['ou_thief', 'ou_rubbish']) assert.equal(await ring.vault.read(APP, openId), null);
    }
    const session1 = await newRing(redis, keys, [k2]).sessions.get(other);
    assert.deepEqual([session1?.state, session1?.reason, session1?.link], ['authorizing', null, null]);
  });

  it('loses no write that comes between', async (t) => {
    const { after, before, keys, redis, session } = await rotated(t, { stays: true });
    const users = Array.from({ length: 20 }, (_, i) => `ou_${i}`);
    for (const openId of users) await before.grant(APP, openId, 1);
    const id = await session();
    let writing = true;
    const written = new Map<string, number>();
    const write = async (): Promise<number> => {
      let rounds = 0;
      for (; writing; rounds += 1) {
        const openId = users[rounds % users.length] ?? '';
        const generation = 2 + rounds;
        const stored = await redis.getrange(keys.grant(APP, openId), 0, 20);
        assert.equal(Number.parseInt(stored, 10), written.get(openId) ?? 1, 'the one written last');
        await redis.set(keys.grant(APP, openId), before.grantValue(APP, openId, generation));
        written.set(openId, generation);
        await before.sessions.endPoll(id, { ...link(1), intervalSeconds: rounds }, { grown: true });
        await turn();
      }
      return rounds;
    };
    const writes = write();
    let resealed = 0;
    for (let i = 0; i < 40; i += 1) {
      // The next pass would come in a minute.
      await redis.hdel(keys.keyReseal, 'pass');
      for (const { pass } of await after.walk()) resealed += pass.resealed;
    }
    writing = false;
    const rounds = await writes;
    assert.ok(rounds > 50 && resealed > 50, `${rounds} writes, ${resealed} sealed anew`);
    for (const [openId, generation] of written) {
      const stored = await after.vault.read(APP, openId);
      assert.deepEqual([stored?.generation, stored?.grant.authorizedAt], [generation, generation], openId);
    }
    assert.equal(deviceLinkOf(await after.sessions.get(id)).intervalSeconds, rounds - 1);
    assert.deepEqual(after.damaged, []);
  });

  it('a new link that comes while the former one is looked at is not taken for damaged', async (t) => {
    const { after, before, keys, redis, session } = await rotated(t, { stays: true });
    const id = await session();
    let writing = true;
    const write = async (): Promise<void> => {
      for (let number = 2; writing; number += 1) {
        await redis.hset(keys.session(APP, id), 'link_state', 'dead');
        await before.sessions.click(click(id, 'authorize'));
        assert.ok(await before.sessions.storeLink(id, link(number), 60_000));
      }
    };
    const writes = write();
    for (let i = 0; i < 40; i += 1) {
      await redis.hdel(keys.keyReseal, 'pass');
      await after.walk();
    }
    writing = false;
    await writes;
    const stored = await after.sessions.get(id);
    assert.deepEqual([stored?.link?.number, after.damaged], [stored?.linkNumber, []]);
  });

  it('goes on where a killed process has stopped', async (t) => {
    const { after, before, k1, k2, keys, redis } = await rotated(t);
    for (let i = 0; i < 600; i += 1) await before.grant(APP, `ou_${i}`);
    const begun = await after.reseal.begin();
    assert.ok(begun.kind === 'go');
    const one = await after.reseal.step(begun.pass);
    const two = await after.reseal.step(one?.pass ?? begun.pass);
    assert.ok(two !== null && !two.isOver && two.pass.resealed > 100);
    const next = newRing(redis, keys, [k2, k1]);
    await next.keyring.join();
    assert.deepEqual(await next.reseal.begin(), { kind: 'busy' }, 'the lease of the dead');
    await redis.hset(keys.keyReseal, 'owner_until', 1);
    const resumed = await next.reseal.begin();
    assert.ok(resumed.kind === 'go');
    assert.deepEqual(resumed.pass, two.pass);
    const passes = await next.walk();
    assert.equal(passes[0]?.pass.resealed, 600, 'counted over both');
    assert.deepEqual(passes[0]?.pass.done, passes[0]?.pass.total);
    assert.deepEqual(passes.at(-1)?.dropped, ['k1']);
    assert.equal(await countSealedWith(redis, 'k1'), 0);

    assert.equal(await after.reseal.step(two.pass), null, 'one that was only frozen has lost the lease');
  });

  it('a pass that was killed between sealing and noting it does not count as one that found nothing', async (t) => {
    const { after, k1, k2, keys, redis } = await rotated(t);
    await redis.set(keys.grant(APP, 'ou_rubbish'), '5:rubbish');
    const crash = (): void => {
      throw new Error('killed');
    };
    const killed = newRing(redis, keys, [k2, k1], { onDamaged: crash });
    await killed.keyring.join();
    await assert.rejects(killed.walk(), /killed/);
    assert.equal(await redis.exists(keys.grant(APP, 'ou_rubbish')), 0, 'something was done');
    await redis.hset(keys.keyReseal, 'owner_until', 1);
    const passes = await after.walk();
    assert.deepEqual(
      passes.map(({ dropped, pass }) => [pass.number, pass.resealed, dropped]),
      [
        [1, 0, []],
        [2, 0, ['k1']],
      ],
    );
  });

  it('begins the pass again when Redis was restarted in the middle', async (t) => {
    const { after, before, redis, server } = await rotated(t);
    for (let i = 0; i < 300; i += 1) await before.grant(APP, `ou_${i}`);
    const begun = await after.reseal.begin();
    assert.ok(begun.kind === 'go');
    const one = await after.reseal.step(begun.pass);
    assert.ok(one !== null && one.pass.cursor !== '0' && one.pass.done > 0);
    await server.kill();
    await server.start();
    await redis.ping();
    const two = await after.reseal.step(one.pass);
    assert.deepEqual([two?.pass.cursor, two?.pass.done, two?.pass.changed], ['0', 0, true]);
    assert.notEqual(two?.pass.runId, one.pass.runId);
    const passes = await after.walk();
    assert.deepEqual(passes.at(-1)?.dropped, ['k1']);
    assert.deepEqual(passes.at(-1)?.pass.found, { k2: 300 });
  });

  it('keeps a key registered whose values it finds, and leaves values of unknown keys alone', async (t) => {
    const { after, before, k1, k2, keys, redis } = await rotated(t);
    await before.grant(APP, USER);
    await redis.hdel(keys.keyChecks, 'k1');
    const foreign = newRing(redis, keys, [newKey('k9')]);
    await foreign.grant(APP, 'ou_foreign');
    const value = await redis.getBuffer(keys.grant(APP, 'ou_foreign'));
    // Something must be left to do for a walk to begin.
    await redis.hset(keys.keyChecks, 'k0', 'of a key that never sealed anything');
    const begun = await after.reseal.begin();
    assert.ok(begun.kind === 'go');
    const progress = await after.reseal.step(begun.pass);
    assert.deepEqual(progress?.pass.left, { k9: 1 });
    assert.deepEqual(Object.keys(await redis.hgetall(keys.keyChecks)).toSorted(), ['k0', 'k1', 'k2']);
    assert.deepEqual((await after.walk()).at(-1)?.dropped.toSorted(), ['k0', 'k1']);
    assert.deepEqual(await redis.getBuffer(keys.grant(APP, 'ou_foreign')), value);
    const status = await newRing(redis, keys, [k2, k1]).keyring.status();
    assert.deepEqual(
      status.keys.find(({ id }) => id === 'k9'),
      { id: 'k9', seals: false, configured: false, uses: 1, removable: false },
    );
  });
});
