import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createArrivals } from '../../src/feishu/open-api/arrivals.js';

/** A clock that tests move by hand; what waits for it is woken by the answer of a call. */
function newArrivals() {
  let time = 0;
  return { arrivals: createArrivals(() => time), pass: (ms: number) => (time += ms) };
}

/** Fails the test instead of hanging when there is no room. */
async function entered(entering: Promise<(() => void) | null>): Promise<() => void> {
  const answered = await entering;
  assert.ok(answered !== null, 'there should be room');
  return answered;
}

describe('arrivals', () => {
  it('lets as many calls through as Feishu allows in a second, and no more while they are under way', async () => {
    const { arrivals } = newArrivals();
    for (let i = 0; i < 3; i += 1) await entered(arrivals.enter('a', 3, 1_000));
    assert.equal(await arrivals.enter('a', 3, 20), null);
    await entered(arrivals.enter('b', 3, 1_000));
  });

  it('counts a call until a second after its answer: it may have arrived just before', async () => {
    const { arrivals, pass } = newArrivals();
    const answered = await entered(arrivals.enter('a', 1, 1_000));
    pass(900);
    answered();
    pass(900);
    assert.equal(await arrivals.enter('a', 1, 20), null);
    pass(200);
    await entered(arrivals.enter('a', 1, 1_000));
  });

  it('lets waiting calls through in their order, as soon as there is room', async () => {
    const arrivals = createArrivals(() => performance.now());
    const order: number[] = [];
    const first = await entered(arrivals.enter('a', 1, 1_000));
    const startedAt = performance.now();
    const waiting = [1, 2].map(async (i) => {
      const answered = await entered(arrivals.enter('a', 1, 10_000));
      order.push(i);
      answered();
    });
    first();
    await Promise.all(waiting);
    assert.deepEqual(order, [1, 2]);
    assert.ok(performance.now() - startedAt >= 2_000);
  });

  it('does not bar the way for ever to a Feishu that never answers', async () => {
    const { arrivals, pass } = newArrivals();
    await entered(arrivals.enter('a', 1, 1_000));
    pass(4_100);
    await entered(arrivals.enter('a', 1, 1_000));
  });
});
