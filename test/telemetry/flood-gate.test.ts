import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFloodGate } from '../../src/telemetry/flood-gate.js';
import { recordLog } from './log-support.js';

function newGate() {
  const { logger, lines } = recordLog();
  let now = 5_000;
  const gate = createFloodGate({ logger, clock: () => now, everyMs: 60_000 });
  const said = () =>
    lines.map((line) => JSON.parse(line) as { msg: string; level: string; repeated?: number; n?: number });
  return { gate, said, pass: (ms: number) => (now += ms) };
}

describe('flood gate', () => {
  it('says the first at once and the others once an interval with their number', () => {
    const { gate, said, pass } = newGate();
    for (let second = 0; second < 150; second++) {
      gate.warn('redis', { event: 'redis.error', n: second }, 'Redis is away');
      pass(1000);
    }
    assert.deepEqual(
      said().map(({ n, repeated }) => ({ n, repeated })),
      [
        { n: 0, repeated: undefined },
        { n: 60, repeated: 60 },
        { n: 120, repeated: 60 },
      ],
    );
  });

  it('tells faults apart by their key', () => {
    const { gate, said } = newGate();
    for (let i = 0; i < 3; i++) {
      gate.warn('a', {}, 'A');
      gate.error('b', {}, 'B');
    }
    assert.deepEqual(
      said().map(({ level, msg }) => `${level} ${msg}`),
      ['warn A', 'error B'],
    );
  });

  it('says at the end what was left unsaid, and takes the next for the first', () => {
    const { gate, said } = newGate();
    gate.warn('a', { n: 1 }, 'A');
    gate.warn('a', { n: 2 }, 'A');
    gate.warn('a', { n: 3 }, 'A');
    gate.clear('a');
    gate.clear('a');
    gate.warn('a', { n: 4 }, 'A');
    gate.clear('a');
    assert.deepEqual(
      said().map(({ n, repeated }) => ({ n, repeated })),
      [
        { n: 1, repeated: undefined },
        { n: 3, repeated: 2 },
        { n: 4, repeated: undefined },
      ],
    );
  });

  it('holds no more than a thousand faults', () => {
    const { gate, said } = newGate();
    for (let fault = 0; fault <= 1000; fault++) gate.warn(`fault ${fault}`, {}, 'X');
    gate.warn('fault 1000', {}, 'known');
    gate.warn('fault 0', {}, 'forgotten');
    assert.deepEqual(
      said()
        .slice(1001)
        .map(({ msg }) => msg),
      ['forgotten'],
    );
  });
});
