import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { AuthdError } from '../../src/errors.js';
import { ALICE, type Api, assertProblem, HANGS, newApi, newSession } from './support.js';

const TIMEOUT_MS = 300;
const ID = newSession().sessionId;

const CALLS: readonly (readonly [method: string, path: string, body?: object])[] = [
  ['POST', '/v1/sessions', { open_id: ALICE }],
  ['GET', '/v1/sessions'],
  ['GET', `/v1/sessions/${ID}`],
  ['GET', `/v1/sessions/${ID}?wait_seconds=50`],
  ['POST', `/v1/sessions/${ID}/invalidate`],
  ['POST', '/v1/sessions/cleanup', { expiry_days: 1 }],
  ['GET', `/v1/users/${ALICE}`],
  ['GET', `/v1/users/${ALICE}/token`],
  ['DELETE', `/v1/users/${ALICE}/token`],
];

describe('while the store is away', () => {
  let api: Api;
  beforeEach(async () => {
    api = await newApi({ limits: { handlerTimeoutMs: TIMEOUT_MS } });
    api.world.add(newSession());
  });
  afterEach(() => api.close());

  it('every call is answered with 503 and Retry-After within the limit when the store hangs', async () => {
    api.world.fault = HANGS;
    const before = performance.now();
    const answers = CALLS.map(([method, path, body]) => api.call(method, path, { body }));
    for (const answer of await Promise.all(answers)) {
      assertProblem(answer, 503, 'upstream_unavailable');
      assert.ok(Number(answer.headers.get('retry-after')) >= 1);
      assert.equal(answer.body['next'], 'wait');
    }
    const elapsed = performance.now() - before;
    assert.ok(elapsed >= TIMEOUT_MS - 5 && elapsed < TIMEOUT_MS + 2_000, `${elapsed} ms`);
  });

  it('the whole answer has one limit, also when it needs the store twice', async () => {
    api.world.fault = () => new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS * 0.9));
    assertProblem(await api.call('POST', `/v1/sessions/${ID}/invalidate`), 503, 'upstream_unavailable');
  });

  it('what fails at once is passed on, and everything works again afterwards', async () => {
    api.world.fault = () => Promise.reject(new AuthdError('upstream_unavailable', 'Redis is away'));
    for (const [method, path, body] of CALLS) {
      const answer = await api.call(method, path, { body });
      assertProblem(answer, 503, 'upstream_unavailable');
      assert.equal(answer.body['detail'], 'Redis is away');
    }
    api.world.fault = null;
    assert.equal((await api.call('GET', `/v1/sessions/${ID}`)).status, 200);
  });

  it('an outcome that comes too late troubles nobody', async () => {
    const late: ((error: Error) => void)[] = [];
    api.world.fault = () => new Promise((_resolve, reject) => late.push(reject));
    assertProblem(await api.call('GET', `/v1/users/${ALICE}`), 503, 'upstream_unavailable');
    api.world.fault = null;
    for (const reject of late) reject(new Error('Command timed out'));
    assert.equal((await api.call('GET', `/v1/users/${ALICE}`)).status, 200);
  });

  it('health answers 200, readiness 503 with the reason, 20 times each', async () => {
    api.world.fault = HANGS;
    const probes = Array.from({ length: 20 }, async () => {
      assert.equal((await api.call('GET', '/healthz', { as: null })).status, 200);
      const ready = await api.call('GET', '/readyz', { as: null });
      assert.equal(ready.status, 503);
      const parts = [{ part: 'readiness', ok: false, detail: 'The store did not answer in time' }];
      assert.deepEqual(ready.body, { status: 'unavailable', parts });
    });
    const before = performance.now();
    await Promise.all(probes);
    assert.ok(performance.now() - before < TIMEOUT_MS + 2_000);
  });

  it('the server still closes in time', async () => {
    api.world.fault = HANGS;
    const answer = api.call('GET', `/v1/users/${ALICE}`);
    // The call is in hand once a second one on the same server has been answered.
    await api.call('GET', '/healthz');
    const before = performance.now();
    await api.close();
    assertProblem(await answer, 503, 'upstream_unavailable');
    assert.ok(performance.now() - before < TIMEOUT_MS + 2_000);
  });
});
