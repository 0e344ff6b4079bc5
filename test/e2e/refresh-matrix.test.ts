/**
 * A sample of the matrix (`npm run matrix` runs all of it): what becomes of a grant when a fault strikes in the middle of
 * its refresh (ARCHITECTURE invariant 3). And that a cell which is wrong would be told.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runCell } from '../matrix/cell.js';
import { FAULTS } from '../matrix/faults.js';
import { wrongInLedger } from '../matrix/ledger.js';
import { POINTS } from '../matrix/points.js';
import type { Call } from '../simulator/call-ledger.js';

/** The first one waits for a lease, the others run beside it. */
const SAMPLE = [
  ['kill -9, restart', 'lease', 'kept'],
  ['kill -9, restart', 'spooled', 'kept'],
  ['SIGTERM, restart', 'consumed', 'kept'],
  ['Redis refuses writes for 3 s (OOM)', 'answered', 'kept'],
  ['Redis comes back without its last second', 'stored', 'kept'],
  ['Redis fails over to a replica that lags', 'sent', 'kept'],
  ['the answer is lost, not consumed', 'turn', 'kept'],
  ['the answer is lost, consumed', 'committed', 'asked'],
] as const;

describe('a fault in the middle of a refresh', { concurrency: 4 }, () => {
  for (const [faultName, short, outcome] of SAMPLE) {
    const fault = FAULTS.find(({ name }) => name === faultName);
    const point = POINTS.find((each) => each.short === short);
    it(`${faultName}, ${point?.name}: ${outcome === 'kept' ? 'the grant is kept' : 'the user is asked again'}`, async () => {
      assert.ok(fault !== undefined && point !== undefined);
      const verdict = await runCell(point, fault);
      assert.equal(verdict.outcome, outcome, verdict.notes.join('\n'));
    });
  }
});

describe("Feishu's ledger", () => {
  const call = (at: number, more: Partial<Call>): Call => ({
    api: 'token',
    grant: 'refresh_token',
    generation: 1,
    logId: String(at),
    at,
    endedAt: at + 10,
    status: 200,
    ...more,
  });
  const redeemed = call(100, { redeemedAt: 105, code: 0 });
  const lost = call(100, { redeemedAt: 105, status: 0 });
  const used = (at: number): Call => call(at, { status: 400, code: 20073 });

  it('shows a token that was presented again after its success, and one call too many after an unknown outcome', () => {
    assert.deepEqual(wrongInLedger([redeemed]), []);
    assert.match(wrongInLedger([redeemed, used(200)]).join(), /again after Feishu had answered it with success/);
    assert.deepEqual(wrongInLedger([lost, used(200)]), []);
    assert.match(wrongInLedger([lost, used(200), used(300)]).join(), /again/);
    assert.deepEqual(wrongInLedger([redeemed, used(200)], redeemed), [], 'whoever knew is gone');
    assert.deepEqual(wrongInLedger([redeemed, call(200, { generation: 2, redeemedAt: 205, code: 0 })]), []);
  });

  it('shows two calls at once, and a storm', () => {
    assert.match(wrongInLedger([call(100, { code: 20050 }), call(105, { code: 20050 })]).join(), /two calls at once/);
    const refused = Array.from({ length: 5 }, (_, i) => call(100 * i, { code: 20050, status: 500 }));
    assert.deepEqual(wrongInLedger(refused.slice(1)), []);
    assert.match(wrongInLedger(refused).join(), /presented 5 times/);
  });
});
