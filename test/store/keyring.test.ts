/** Which keys a start needs, which key everything is to be sealed with, and when a key is needed no more. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { countSealedWith, dumpOf, newKey, newRing } from './new-ring.js';
import { APP, newStore } from './new-store.js';

const GRANTS = ['ou_a', 'ou_b', 'ou_c'];

describe('keyring', { concurrency: 4 }, () => {
  it('registers the key it seals with, and no other', async (t) => {
    const { keys, redis } = await newStore(t);
    await newRing(redis, keys, [newKey('k2'), newKey('k1')]).keyring.join();
    assert.deepEqual(Object.keys(await redis.hgetall(keys.keyChecks)), ['k2']);
  });

  it('refuses a missing and a wrong key, naming it, and changes nothing then', async (t) => {
    const { keys, redis } = await newStore(t);
    const [k1, k2] = [newKey('k1'), newKey('k2')];
    await newRing(redis, keys, [k1]).keyring.join();
    const newer = newRing(redis, keys, [k2, k1]);
    await newer.keyring.join();
    for (const openId of GRANTS) await newer.grant(APP, openId);
    const before = await dumpOf(redis);
    assert.ok(before.size > GRANTS.length);
    for (const [ring, says] of [
      [[k2], /"k1".*not configured/],
      [[k1], /"k2".*not configured/],
      [[newKey('k3')], /"k[12]".*not configured/],
      [[k2, newKey('k1')], /"k1" is not the key of that name/],
      [[newKey('k2'), k1], /"k2" is not the key of that name/],
    ] as const) {
      await assert.rejects(newRing(redis, keys, ring).keyring.join(), { code: 'key_mismatch', message: says });
    }
    assert.deepEqual(await dumpOf(redis), before);
  });

  it('lets a former key go when nothing uses it, and does not register it again behind the first', async (t) => {
    const { keys, redis } = await newStore(t);
    const [k1, k2] = [newKey('k1'), newKey('k2')];
    const before = newRing(redis, keys, [k1]);
    await before.keyring.join();
    for (const openId of GRANTS) await before.grant(APP, openId);
    await before.keyring.leave();

    const after = newRing(redis, keys, [k2, k1]);
    await after.keyring.join();
    const early = await after.keyring.status();
    assert.deepEqual(early.keys, [
      { id: 'k2', seals: true, configured: true, uses: null, removable: false },
      { id: 'k1', seals: false, configured: true, uses: null, removable: false },
    ]);
    assert.equal(early.reseal.running, true);
    const passes = await after.walk();
    assert.deepEqual(
      passes.map(({ dropped, pass }) => [pass.number, pass.resealed, dropped]),
      [
        [1, 3, []],
        [2, 0, ['k1']],
      ],
      'the pass that has changed nothing decides',
    );
    const late = await after.keyring.status();
    assert.deepEqual(late.keys, [
      { id: 'k2', seals: true, configured: true, uses: 3, removable: false },
      { id: 'k1', seals: false, configured: true, uses: 0, removable: true },
    ]);
    const { finishedAt, running, targetKeyId } = late.reseal;
    assert.deepEqual([running, targetKeyId, typeof finishedAt], [false, 'k2', 'number']);

    await newRing(redis, keys, [k2, k1]).keyring.join();
    await newRing(redis, keys, [k2, newKey('k1')]).keyring.join();
    await newRing(redis, keys, [k2]).keyring.join();
    assert.deepEqual(Object.keys(await redis.hgetall(keys.keyChecks)), ['k2']);
  });

  it('keeps a key that a process still seals with, whatever a pass has found', async (t) => {
    const { keys, redis } = await newStore(t);
    const [k1, k2] = [newKey('k1'), newKey('k2')];
    const old = newRing(redis, keys, [k1, k2]);
    await old.keyring.join();
    await old.grant(APP, 'ou_a');
    await sleep(2);
    const young = newRing(redis, keys, [k2, k1]);
    await young.keyring.join();
    const first = await young.walk();
    assert.deepEqual(
      first.flatMap(({ dropped }) => dropped),
      [],
    );
    assert.equal(await countSealedWith(redis, 'k1'), 0);
    await old.grant(APP, 'ou_b');
    await old.keyring.leave();
    // Redis's clock: a walk that begins in the very millisecond may have missed what was sealed in it.
    await sleep(2);
    const then = await young.walk();
    assert.deepEqual(
      then.flatMap(({ dropped }) => dropped),
      ['k1'],
    );
    assert.equal((await young.vault.read(APP, 'ou_b'))?.generation, 1_000, 'what it wrote last is not lost');
    assert.equal(await countSealedWith(redis, 'k1'), 0);
  });

  it('keeps the key of a process that has come and gone during the pass', async (t) => {
    const { keys, redis } = await newStore(t);
    const [k1, k2] = [newKey('k1'), newKey('k2')];
    await newRing(redis, keys, [k1]).keyring.join();
    await redis.del(keys.keyProcesses, keys.keySealing);
    const young = newRing(redis, keys, [k2, k1]);
    await young.keyring.join();
    const begun = await young.reseal.begin();
    assert.ok(begun.kind === 'go');
    const guest = newRing(redis, keys, [k1, k2]);
    await guest.keyring.join();
    await guest.keyring.leave();
    const progress = await young.reseal.step(begun.pass);
    assert.deepEqual([progress?.isOver, progress?.dropped], [true, []]);
    await sleep(2);
    assert.deepEqual(
      (await young.walk()).flatMap(({ dropped }) => dropped),
      ['k1'],
      'the next one decides',
    );
  });

  it('keeps the key of a killed process until it counts as gone, and then walks once more', async (t) => {
    const { keys, redis } = await newStore(t);
    const [k1, k2] = [newKey('k1'), newKey('k2')];
    const goneMs = 1_500;
    await newRing(redis, keys, [k1, k2], { goneMs }).keyring.join();
    await sleep(2);
    const young = newRing(redis, keys, [k2, k1], { goneMs });
    await young.keyring.join();
    assert.deepEqual(
      (await young.walk()).flatMap(({ dropped }) => dropped),
      [],
    );
    await sleep(goneMs + 5);
    await young.keyring.beat();
    assert.deepEqual(
      (await young.walk()).flatMap(({ dropped }) => dropped),
      ['k1'],
    );
  });

  it('counts the spool of every process', async (t) => {
    const { keys, redis } = await newStore(t);
    const [k1, k2] = [newKey('k1'), newKey('k2')];
    const before = newRing(redis, keys, [k1]);
    await before.keyring.join();
    await before.keyring.leave();
    let spooled: Record<string, number> = { k1: 2 };
    const other = newRing(redis, keys, [k2, k1], { spooled: async () => spooled });
    await other.keyring.join();
    await sleep(2);
    const walker = newRing(redis, keys, [k2, k1]);
    await walker.keyring.join();
    assert.deepEqual(
      (await walker.walk()).flatMap(({ dropped }) => dropped),
      [],
    );
    const [, former] = (await walker.keyring.status()).keys;
    assert.deepEqual(former, { id: 'k1', seals: false, configured: true, uses: 2, removable: false });
    spooled = {};
    await other.keyring.beat();
    assert.deepEqual(
      (await walker.walk()).flatMap(({ dropped }) => dropped),
      ['k1'],
    );
  });

  it('with rings of different order, the process that was started last decides; nobody undoes its work', async (t) => {
    const { keys, redis } = await newStore(t);
    const [k1, k2] = [newKey('k1'), newKey('k2')];
    const a = newRing(redis, keys, [k1, k2]);
    await a.keyring.join();
    for (const openId of GRANTS) await a.grant(APP, openId);
    await sleep(2);
    const b = newRing(redis, keys, [k2, k1]);
    await b.keyring.join();
    assert.deepEqual(await a.reseal.begin(), { kind: 'nothing' });
    await b.walk();
    assert.equal(await countSealedWith(redis, 'k2'), GRANTS.length);
    assert.deepEqual(await a.walk(), []);
    await a.keyring.beat();
    assert.deepEqual(await a.walk(), [], 'also when it has told of itself again');
    assert.equal((await a.keyring.status()).reseal.targetKeyId, 'k2');
    for (const openId of GRANTS) assert.ok(await a.vault.read(APP, openId));
    await b.keyring.leave();
    assert.deepEqual(
      (await a.walk()).flatMap(({ dropped }) => dropped),
      ['k2'],
      'it is alone now',
    );
    assert.equal(await countSealedWith(redis, 'k1'), GRANTS.length);
  });

  it('waits while a running process could not open what would be sealed anew, and tells that process', async (t) => {
    const { keys, redis } = await newStore(t);
    const [k1, k2] = [newKey('k1'), newKey('k2')];
    const poor = newRing(redis, keys, [k1]);
    await poor.keyring.join();
    await poor.grant(APP, 'ou_a');
    await sleep(2);
    const young = newRing(redis, keys, [k2, k1]);
    await young.keyring.join();
    assert.deepEqual(await young.reseal.begin(), { kind: 'wait', keyId: 'k2' });
    assert.deepEqual(await poor.keyring.beat(), { missing: ['k2'], wrong: [] });
    assert.ok(await poor.vault.read(APP, 'ou_a'));
    await poor.keyring.leave();
    assert.equal((await young.walk()).length, 2);
  });

  it('a process that was frozen for long registers its key again', async (t) => {
    const { keys, redis } = await newStore(t);
    const [k1, k2] = [newKey('k1'), newKey('k2')];
    const goneMs = 1_500;
    const frozen = newRing(redis, keys, [k1, k2], { goneMs });
    await frozen.keyring.join();
    await sleep(goneMs + 5);
    const young = newRing(redis, keys, [k2, k1], { goneMs });
    await young.keyring.join();
    assert.deepEqual(
      (await young.walk()).flatMap(({ dropped }) => dropped),
      ['k1'],
    );
    await frozen.keyring.beat();
    await assert.rejects(newRing(redis, keys, [k2]).keyring.join(), /"k1".*not configured/);
    assert.equal((await young.keyring.status()).reseal.targetKeyId, 'k2', 'it is not the youngest for that');
  });
});
