import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nextPollDelayMs, type PollPace } from '../../src/domain/poll-pace.js';

const MINUTE = 60_000;
const pace = (more: Partial<PollPace> = {}): number =>
  nextPollDelayMs({
    linkAgeMs: 0,
    intervalSeconds: 5,
    waitingSessions: 1,
    ratePerSecond: 15,
    remainingMs: 60 * MINUTE,
    random: () => 0.5,
    ...more,
  });

describe('poll pace', () => {
  const ages: readonly (readonly [number, number, number])[] = [
    [0, 5, 5_000],
    [59_999, 5, 5_000],
    [MINUTE, 5, 10_000],
    [2 * MINUTE, 5, 15_000],
    [30 * MINUTE, 5, 15_000],
    [30 * MINUTE, 1, 3_000],
    [30 * MINUTE, 10, 15_000],
    [30 * MINUTE, 40, 40_000],
  ];
  for (const [linkAgeMs, intervalSeconds, delay] of ages) {
    it(`waits ${delay} ms at ${linkAgeMs} ms with an interval of ${intervalSeconds} s`, () => {
      assert.equal(pace({ linkAgeMs, intervalSeconds }), delay);
    });
  }

  it('jitters by a tenth and never below the interval', () => {
    assert.equal(pace({ random: () => 0 }), 5_000);
    assert.equal(pace({ random: () => 1 }), 5_500);
    assert.equal(pace({ linkAgeMs: 3 * MINUTE, random: () => 0 }), 13_500);
    assert.equal(pace({ linkAgeMs: 3 * MINUTE, random: () => 1 }), 16_500);
  });

  it('keeps all waiting sessions together within the rate', () => {
    assert.equal(pace({ waitingSessions: 75 }), 5_000);
    assert.equal(pace({ waitingSessions: 150 }), 10_000);
    assert.equal(pace({ waitingSessions: 1_000 }), 66_667);
  });

  it('keeps a thousand sessions within the rate over the whole life of their links', () => {
    const seed = { value: 7 };
    const random = (): number => {
      seed.value = (seed.value * 48_271) % 2_147_483_647;
      return seed.value / 2_147_483_647;
    };
    const life = 240_000;
    const perSecond = new Map<number, number>();
    for (let session = 0; session < 1_000; session += 1) {
      // As in life: they did not all start at the same moment, but their links end together.
      let at = random() * 60_000;
      let polls = 0;
      while (at < life) {
        polls += 1;
        perSecond.set(Math.floor(at / 1_000), (perSecond.get(Math.floor(at / 1_000)) ?? 0) + 1);
        at += pace({ linkAgeMs: at, waitingSessions: 1_000, remainingMs: life - at, random });
      }
      assert.ok(polls >= 3, 'everybody is heard');
    }
    const counts = [...perSecond.values()];
    assert.ok(Math.max(...counts) <= 50, `${Math.max(...counts)} in one second`);
    const all = counts.reduce((sum, count) => sum + count, 0);
    assert.ok(all / (life / 1_000) <= 1.2 * 15, `${all} polls`);
  });

  it('polls a last time shortly before the link ends', () => {
    assert.equal(pace({ linkAgeMs: 3 * MINUTE, remainingMs: 12_000 }), 10_000);
    assert.equal(pace({ linkAgeMs: 3 * MINUTE, remainingMs: 21_000 }), 19_000, 'no other would fit after it');
    assert.equal(pace({ linkAgeMs: 3 * MINUTE, remainingMs: 23_000 }), 15_000, 'another fits after it');
    assert.equal(pace({ remainingMs: 30_000 }), 5_000);
  });

  it('goes past the end, not below the interval, when no poll fits any more', () => {
    assert.equal(pace({ remainingMs: 3_000 }), 5_000);
    assert.equal(pace({ remainingMs: -3_000 }), 5_000);
  });

  it('spreads the last polls of links that end together when many wait', () => {
    const last = (random: number): number =>
      pace({ linkAgeMs: 100_000, waitingSessions: 600, remainingMs: 70_000, random: () => random });
    assert.equal(last(0), 68_000);
    assert.equal(last(1), 44_000);
    assert.equal(pace({ waitingSessions: 600, remainingMs: 30_000, linkAgeMs: 200_000 }), 40_000, 'it had its turn');
  });

  it('gives everybody a poll even when the rate is far too low for all', () => {
    assert.ok(pace({ waitingSessions: 1e6, remainingMs: 240_000 }) <= 238_000);
  });

  it('is finite, whole and no shorter than the interval for any input', () => {
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 0, 0.3, 1e308];
    for (const value of odd) {
      for (const key of ['linkAgeMs', 'intervalSeconds', 'waitingSessions', 'ratePerSecond', 'remainingMs'] as const) {
        const delay = pace({ [key]: value });
        assert.ok(Number.isSafeInteger(delay) && delay >= 300, `${key} ${value}: ${delay}`);
      }
      assert.ok(Number.isSafeInteger(pace({ random: () => value })), `random ${value}`);
    }
  });
});
