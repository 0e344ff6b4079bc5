import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backoffDelayMs } from '../../src/domain/backoff.js';

const policy = { baseMs: 1_000, maxMs: 60_000 };

describe('backoff', () => {
  it('doubles from the base up to the cap', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 500].map((attempt) => backoffDelayMs(attempt, policy, () => 1));
    assert.deepEqual(delays, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('is random in the upper half', () => {
    assert.equal(
      backoffDelayMs(3, policy, () => 0),
      2_000,
    );
    assert.equal(
      backoffDelayMs(3, policy, () => 0.5),
      3_000,
    );
    assert.equal(
      backoffDelayMs(3, policy, () => 1),
      4_000,
    );
  });

  it('is a whole number of milliseconds above zero for any input', () => {
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -3, 0, 0.5, 1e308]) {
      const delays = [
        backoffDelayMs(odd, policy, () => 0.5),
        backoffDelayMs(2, { baseMs: odd, maxMs: 60_000 }, () => 0.5),
        backoffDelayMs(2, { baseMs: 1_000, maxMs: odd }, () => 0.5),
        backoffDelayMs(2, policy, () => odd),
      ];
      for (const delay of delays) assert.ok(Number.isFinite(delay) && delay >= 1, `${odd}: ${delay}`);
    }
  });

  it('takes anything below the first attempt as the first', () => {
    for (const attempt of [0, -1, Number.NaN])
      assert.equal(
        backoffDelayMs(attempt, policy, () => 1),
        1_000,
      );
  });
});
