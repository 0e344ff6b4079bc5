/** What the table says about goals. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Goal, isMet, type Row } from './benchmark.js';
import { renderTable } from './table.js';

const row = (measured: number, goal: Goal): Row => ({
  what: 'something',
  measured,
  unit: '',
  baseline: { what: 'usual', value: 2 },
  goal,
});

describe('goals', () => {
  it('are judged by the value or by the ratio, bounds included', () => {
    const met = (measured: number, of: Goal['of'], bound: Goal['bound'], value: number) =>
      isMet(row(measured, { of, bound, value }));
    assert.deepEqual(
      [met(3, 'measured', 'least', 3), met(2.9, 'measured', 'least', 3), met(4, 'ratio', 'most', 2)],
      [true, false, true],
    );
    assert.deepEqual(
      [0, 1, 2].map((calls) => met(calls, 'measured', 'exactly', 1)),
      [false, true, false],
    );
    assert.equal(met(Number.NaN, 'measured', 'most', 1), false, 'what could not be measured is not met');
  });

  it('are shown with their sign and unit', () => {
    const text = renderTable([
      row(1, { of: 'measured', bound: 'exactly', value: 1 }),
      row(1, { of: 'ratio', bound: 'least', value: 0.6 }),
    ]);
    assert.match(text, /0\.50 x +>= 0\.6 x +NO$/m);
    assert.match(text, /= 1 +yes$/m);
  });
});
