import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Api, assertProblem, HANGS, NOW, newApi, newClient } from './support.js';

describe('GET /v1/keys', () => {
  let api: Api;
  before(async () => {
    const usual = newClient('usual', { actions: ['ask', 'status', 'token', 'revoke'] });
    api = await newApi({ clients: [newClient('boss'), usual], limits: { handlerTimeoutMs: 100 } });
  });
  after(() => api.close());

  it('tells which keys are in use and how far the re-seal is', async () => {
    api.world.keyring = {
      keys: [{ id: 'k2', seals: true, configured: true, uses: 3, removable: false }],
      reseal: { running: false, done: 9, total: 9, targetKeyId: 'k2', finishedAt: NOW },
    };
    const answer = await api.call('GET', '/v1/keys');
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, {
      keys: [{ id: 'k2', seals: true, configured: true, uses: 3, removable: false }],
      reseal: { running: false, done: 9, total: 9, target_key_id: 'k2', finished_at: '2026-03-02T08:00:00.000Z' },
    });
  });

  it('is for administrators', async () => {
    assertProblem(await api.call('GET', '/v1/keys', { as: 'usual' }), 403, 'forbidden');
    assertProblem(await api.call('GET', '/v1/keys', { as: null }), 401, 'unauthorized');
  });

  it('takes no parameters and no other method', async () => {
    assertProblem(await api.call('GET', '/v1/keys?app_id=x'), 400, 'invalid_request');
    assertProblem(await api.call('DELETE', '/v1/keys'), 405, 'invalid_request');
  });

  it('answers 503 in time when the store does not answer', async () => {
    api.world.fault = HANGS;
    assertProblem(await api.call('GET', '/v1/keys'), 503, 'upstream_unavailable');
  });
});
