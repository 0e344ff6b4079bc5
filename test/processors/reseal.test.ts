/** The slices of the re-seal over a real store: bounded, abandoned at once at a stop, and what they say. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createResealSlice } from '../../src/processors/reseal.js';
import { newKey, newRing } from '../store/new-ring.js';
import { APP, newStore } from '../store/new-store.js';
import { captureLog } from '../support/captured-log.js';

async function rotated(t: TestContext, options: { readonly grants: number; readonly ring?: 'poor' }) {
  const { keys, redis } = await newStore(t);
  const [k1, k2] = [newKey('k1'), newKey('k2')];
  const before = newRing(redis, keys, options.ring === 'poor' ? [k1] : [k1, k2]);
  await before.keyring.join();
  for (let i = 0; i < options.grants; i += 1) await before.grant(APP, `ou_${i}`);
  if (options.ring !== 'poor') await before.keyring.leave();
  await sleep(2);
  const after = newRing(redis, keys, [k2, k1]);
  await after.keyring.join();
  const log = captureLog();
  const slice = (ring = after) => createResealSlice({ reseal: ring.reseal, now: Date.now, logger: log.logger });
  return { after, before, k1, k2, keys, log, redis, slice };
}

const never = new AbortController().signal;

describe('a slice of the re-seal', { concurrency: 2 }, () => {
  it('ends what is small in one go and says so', async (t) => {
    const { slice, log } = await rotated(t, { grants: 150 });
    await slice()(never);
    const [first] = log.of('keyring.reseal_progress');
    assert.deepEqual([first?.['target_key_id'], first?.['pass'], first?.['percent']], ['k2', 1, 0]);
    const ends = log.of('keyring.resealed');
    assert.deepEqual(
      ends.map((line) => [line['pass'], line['resealed'], line['percent']]),
      [
        [1, 150, 100],
        [2, 0, 100],
      ],
    );
    assert.deepEqual(
      log.of('keyring.key_removable').map((line) => line['key_id']),
      ['k1'],
    );
    const count = log.lines.length;
    await slice()(never);
    assert.equal(log.lines.length, count, 'there is nothing more to say');
  });

  it('stops at once when the process does, and another process goes on', async (t) => {
    const { slice, k1, k2, keys, log, redis } = await rotated(t, { grants: 600 });
    const stopping = new AbortController();
    const running = slice()(stopping.signal);
    await log.find(({ event }) => event === 'keyring.reseal_progress');
    stopping.abort();
    await running;
    assert.deepEqual(log.of('keyring.resealed'), []);
    const other = newRing(redis, keys, [k2, k1]);
    await other.keyring.join();
    assert.equal((await other.reseal.begin()).kind, 'go', 'the lease is free');
  });

  it('leaves the work to the process that has begun it', async (t) => {
    const { slice, k1, k2, keys, log, redis } = await rotated(t, { grants: 250 });
    const other = newRing(redis, keys, [k2, k1]);
    await other.keyring.join();
    const [one, two] = [slice(), slice(other)];
    await Promise.all([one(never), two(never)]);
    assert.equal(log.of('keyring.resealed')[0]?.['resealed'], 250);
    assert.equal(log.of('keyring.reseal_progress').filter((line) => line['pass'] === 1).length, 1);
  });

  it('says once that a running process lacks the new key', async (t) => {
    const { before, slice, log } = await rotated(t, { grants: 1, ring: 'poor' });
    const again = slice();
    await again(never);
    await again(never);
    const lines = log.of('keyring.reseal_waits');
    assert.deepEqual(
      lines.map((line) => line['target_key_id']),
      ['k2'],
    );
    await before.keyring.leave();
    await again(never);
    assert.equal(log.of('keyring.key_removable').length, 1);
  });
});
