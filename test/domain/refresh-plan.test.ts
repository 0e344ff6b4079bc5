import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDaytime, nextDaytime } from '../../src/domain/daytime.js';
import {
  CONSENT_LIFE_MS,
  dueWhenUsed,
  firstDueAt,
  type PlannedGrant,
  planRefresh,
  type RefreshPolicy,
} from '../../src/domain/refresh-plan.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A noon in Shanghai. */
const T0 = Date.parse('2026-03-02T04:00:00Z');
const POLICY: RefreshPolicy = { mode: 'adaptive', threshold: 0.1, maxIdleMs: 90 * DAY, timezone: 'Asia/Shanghai' };
const half = (): number => 0.5;

const newGrant = (changes: Partial<PlannedGrant> = {}, tokens: Partial<PlannedGrant['tokens']> = {}): PlannedGrant => ({
  tokens: {
    expiresAt: T0 + 2 * HOUR,
    expiresIn: 7_200,
    refreshToken: 'r',
    refreshExpiresAt: T0 + 7 * DAY,
    ...tokens,
  },
  authorizedAt: T0,
  usedAt: null,
  failures: 0,
  retryAt: null,
  askedAt: null,
  ...changes,
});

describe('refresh plan', () => {
  it('looks at an idle grant before half of its refresh token’s life is over', () => {
    for (const random of [() => 0, half, () => 0.999]) {
      const due = firstDueAt(newGrant().tokens, POLICY, random) ?? 0;
      assert.ok(due > T0 + 3 * DAY && due <= T0 + 3.5 * DAY, String(due - T0));
    }
  });

  it('spreads what began together', () => {
    const due = new Set(Array.from({ length: 100 }, () => firstDueAt(newGrant().tokens, POLICY, Math.random)));
    assert.ok(due.size > 50);
  });

  it('refreshes a used grant when the threshold of its life is left, an idle one not', () => {
    const late = T0 + 1.95 * HOUR;
    assert.equal(planRefresh(newGrant({ usedAt: T0 + HOUR }), POLICY, late, half).refresh, true);
    const early = planRefresh(newGrant({ usedAt: T0 + HOUR }), POLICY, T0 + HOUR, half);
    assert.deepEqual([early.refresh, early.nextAt], [false, T0 + 1.8 * HOUR]);
    const idle = planRefresh(newGrant(), POLICY, late, half);
    assert.equal(idle.refresh, false);
    assert.ok((idle.nextAt ?? 0) > T0 + 3 * DAY);
    assert.equal(planRefresh(newGrant(), { ...POLICY, mode: 'always' }, late, half).refresh, true);
    assert.equal(firstDueAt(newGrant().tokens, { ...POLICY, mode: 'always' }, half), T0 + 1.8 * HOUR);
  });

  it('does not call a use before the last refresh a use', () => {
    assert.equal(planRefresh(newGrant({ usedAt: T0 - 1 }), POLICY, T0 + 1.95 * HOUR, half).refresh, false);
  });

  it('keeps a grant alive that is idle, until nobody has used it for too long', () => {
    const at = T0 + 3.6 * DAY;
    assert.equal(planRefresh(newGrant(), POLICY, at, half).refresh, true);
    const abandoned = newGrant({ authorizedAt: at - 91 * DAY, usedAt: at - 91 * DAY });
    assert.deepEqual(planRefresh(abandoned, POLICY, at, half), { refresh: false, ask: false, nextAt: null });
    assert.equal(
      planRefresh(newGrant({ authorizedAt: at - 91 * DAY, usedAt: at - 89 * DAY }), POLICY, at, half).refresh,
      true,
    );
  });

  it('leaves a grant without refresh token alone', () => {
    const grant = newGrant({ usedAt: T0 }, { refreshToken: null });
    assert.equal(firstDueAt(grant.tokens, POLICY, half), null);
    assert.deepEqual(planRefresh(grant, POLICY, T0 + 3 * HOUR, half), { refresh: false, ask: false, nextAt: null });
  });

  it('still tries one whose end has passed: Feishu decides, not a clock', () => {
    assert.equal(planRefresh(newGrant({ usedAt: T0 }), POLICY, T0 + 9 * DAY, half).refresh, true);
  });

  it('is finite and no faster than 30 s or half a life, whatever lifetimes Feishu names', () => {
    for (const [expiresIn, refreshLife] of [
      [1, 7 * DAY],
      [30, 7 * DAY],
      [7_200, null],
      [1e9, 365 * DAY],
      [7_200, 60_000],
      [7_200, 1_000],
    ] as const) {
      const tokens = {
        expiresIn,
        expiresAt: T0 + expiresIn * 1000,
        refreshExpiresAt: refreshLife === null ? null : T0 + refreshLife,
      };
      const due = dueWhenUsed(newGrant({ usedAt: T0 }, tokens).tokens, POLICY, half);
      assert.ok(Number.isFinite(due));
      const gap = due - T0;
      assert.ok(gap >= Math.min(30_000, (refreshLife ?? 7 * DAY) * 0.45), `${expiresIn} ${refreshLife}: ${gap}`);
      assert.ok(gap <= (refreshLife ?? 7 * DAY) / 2, `${expiresIn} ${refreshLife}: ${gap}`);
    }
  });

  it('waits as long as it was told to after a failure', () => {
    const grant = newGrant({ usedAt: T0, failures: 1, retryAt: T0 + 3 * HOUR });
    const plan = planRefresh(grant, POLICY, T0 + 2 * HOUR, half);
    assert.deepEqual([plan.refresh, plan.nextAt], [false, T0 + 3 * HOUR]);
  });

  describe('asking again in good time', () => {
    const end = T0 + CONSENT_LIFE_MS;
    const nearEnd = (now: number, changes: Partial<PlannedGrant> = {}): PlannedGrant =>
      newGrant({ usedAt: now - HOUR, ...changes }, { expiresAt: now + HOUR, refreshExpiresAt: now + 6 * DAY });

    it('asks in the last week of a consent, by day, at most once a day, and goes on refreshing', () => {
      const now = end - 6 * DAY;
      const before = end - 8 * DAY;
      assert.equal(planRefresh(nearEnd(before), POLICY, before, half).ask, false);
      assert.equal(planRefresh(nearEnd(now), POLICY, now, half).ask, true);
      assert.equal(planRefresh(nearEnd(now, { askedAt: now - 23 * HOUR }), POLICY, now, half).ask, false);
      assert.equal(planRefresh(nearEnd(now, { askedAt: now - 25 * HOUR }), POLICY, now, half).ask, true);
      const night = now + 12 * HOUR;
      const plan = planRefresh(nearEnd(night), POLICY, night, half);
      assert.equal(plan.ask, false);
      assert.ok((plan.nextAt ?? 0) <= night + 9 * HOUR);
    });

    it('does not ask for a grant nobody uses', () => {
      const now = end - 6 * DAY;
      assert.equal(
        planRefresh(nearEnd(now, { usedAt: null, authorizedAt: T0 }), { ...POLICY, maxIdleMs: 400 * DAY }, now, half)
          .ask,
        false,
      );
    });

    it('asks when refreshes keep failing and the refresh token is about to die', () => {
      const now = T0 + 6.5 * DAY;
      const grant = newGrant({ usedAt: now - HOUR, failures: 5, retryAt: now + 60_000 });
      const day = isDaytime(now, POLICY.timezone) ? now : nextDaytime(now, POLICY.timezone);
      assert.equal(planRefresh(grant, POLICY, day, half).ask, true);
      assert.equal(planRefresh({ ...grant, failures: 0 }, POLICY, day, half).ask, false);
    });
  });
});

describe('daytime', () => {
  it('is from nine to six by the wall clock of the zone', () => {
    for (const [time, zone, expected] of [
      ['2026-03-02T00:59:00Z', 'Asia/Shanghai', false],
      ['2026-03-02T01:00:00Z', 'Asia/Shanghai', true],
      ['2026-03-02T09:59:00Z', 'Asia/Shanghai', true],
      ['2026-03-02T10:00:00Z', 'Asia/Shanghai', false],
      ['2026-07-02T07:30:00Z', 'Europe/Berlin', true],
      ['2026-01-02T07:30:00Z', 'Europe/Berlin', false],
      ['2026-03-02T03:15:00Z', 'Asia/Kathmandu', true],
      ['2026-03-02T03:14:00Z', 'Asia/Kathmandu', false],
    ] as const) {
      assert.equal(isDaytime(Date.parse(time), zone), expected, `${time} ${zone}`);
    }
  });

  it('begins again next morning', () => {
    const evening = Date.parse('2026-03-02T10:00:01Z');
    assert.equal(nextDaytime(evening, 'Asia/Shanghai'), Date.parse('2026-03-03T01:00:00Z'));
    const noon = Date.parse('2026-03-02T04:00:00Z');
    assert.equal(nextDaytime(noon, 'Asia/Shanghai'), noon);
  });
});
