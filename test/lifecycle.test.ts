import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { createClosingStack } from '../src/lifecycle.js';

const silent = pino({ level: 'silent' });

describe('the closing stack', () => {
  it('closes last in, first out, all of them, whatever one of them does', async () => {
    const stack = createClosingStack(silent);
    const closed: string[] = [];
    for (const name of ['first', 'second', 'third']) {
      stack.push({
        name,
        deadlineMs: 1_000,
        close() {
          closed.push(name);
          if (name === 'second') throw new Error('no');
        },
      });
    }
    assert.deepEqual(await stack.stop(), { unfinished: ['second'] });
    assert.deepEqual(closed, ['third', 'second', 'first']);
  });

  it('cuts a step short at its deadline and says which', async () => {
    const stack = createClosingStack(silent);
    let reached = false;
    stack.push({
      name: 'after',
      deadlineMs: 1_000,
      close() {
        reached = true;
      },
    });
    stack.push({ name: 'hangs', deadlineMs: 20, close: () => new Promise(() => undefined) });
    assert.deepEqual(await stack.stop(), { unfinished: ['hangs'] });
    assert.ok(reached);
  });

  it('is shared by all who stop', async () => {
    const stack = createClosingStack(silent);
    let times = 0;
    stack.push({
      name: 'once',
      deadlineMs: 1_000,
      async close() {
        times += 1;
      },
    });
    assert.equal(stack.stop(), stack.stop());
    await stack.stop();
    assert.equal(times, 1);
  });
});
