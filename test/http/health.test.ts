import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { pino } from 'pino';
import type { ReadinessReport } from '../../src/domain/readiness.js';
import { DEFAULT_HTTP_LIMITS } from '../../src/http/ports.js';
import { buildHealthServer } from '../../src/http/server.js';
import { newMetrics } from '../support/metrics.js';
import { APP_A, type Api, assertProblem, fieldsOf, newApi } from './support.js';

const REPORT: ReadinessReport = {
  status: 'degraded',
  parts: [
    { part: 'redis', ok: true, detail: '' },
    { part: 'long_connection', appId: APP_A, ok: false, detail: 'Reconnecting for 40 s' },
  ],
};

describe('health', () => {
  let api: Api;
  before(async () => {
    api = await newApi();
  });
  after(() => api.close());

  it('is 200 while the process turns, whatever is asked besides', async () => {
    const answer = await api.call('GET', '/healthz?probe=1', { as: null });
    assert.deepEqual([answer.status, answer.body], [200, { status: 'ok' }]);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
  });

  it('is ready or degraded with 200, unavailable with 503, and lists the parts', async () => {
    for (const [status, code] of [
      ['ready', 200],
      ['degraded', 200],
      ['unavailable', 503],
    ] as const) {
      api.world.readiness = { ...REPORT, status };
      const answer = await api.call('GET', '/readyz', { as: null });
      assert.equal(answer.status, code);
      assert.deepEqual(answer.body, {
        status,
        parts: [
          { part: 'redis', ok: true, detail: '' },
          { part: 'long_connection', app_id: APP_A, ok: false, detail: 'Reconnecting for 40 s' },
        ],
      });
    }
  });

  it('is 503 when the judgement fails, telling nothing of how', async () => {
    api.world.fault = () => Promise.reject(new Error('sentinel'));
    const answer = await api.call('GET', '/readyz', { as: null });
    api.world.fault = null;
    assert.deepEqual([answer.status, answer.body['status']], [503, 'unavailable']);
    assert.ok(!answer.text.includes('sentinel'));
  });

  it('judges one app, if it is configured', async () => {
    assert.notEqual((await api.call('GET', `/readyz?app_id=${APP_A}`, { as: null })).status, 404);
    assertProblem(await api.call('GET', '/readyz?app_id=cli_x', { as: null }), 404, 'app_not_found');
    const wrong = await api.call('GET', '/readyz?app=cli_x', { as: null });
    assertProblem(wrong, 400, 'invalid_request');
    assert.deepEqual(fieldsOf(wrong), ['query:app']);
  });
});

describe('the health server', () => {
  it('serves health, metrics and nothing else, without the API’s ports', async () => {
    const judged: (string | undefined)[] = [];
    const app = await buildHealthServer({
      apps: [{ appId: APP_A, authScopes: [] }],
      readiness: async (appId) => {
        judged.push(appId);
        return { ...REPORT, status: 'ready' };
      },
      scrape: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
      metrics: newMetrics().counts,
      logger: pino({ level: 'silent' }),
      limits: DEFAULT_HTTP_LIMITS,
      tls: null,
    });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const statusOf = async (path: string, method = 'GET') => (await fetch(url + path, { method })).status;
    assert.deepEqual(
      [await statusOf('/healthz'), await statusOf('/readyz'), await statusOf('/metrics')],
      [200, 200, 200],
    );
    assert.equal(await statusOf(`/readyz?app_id=${APP_A}`), 200);
    assert.deepEqual(judged, [undefined, APP_A]);
    assert.equal(await statusOf('/healthz', 'POST'), 405);
    for (const path of ['/v1/sessions', '/openapi.json', '/']) assert.equal(await statusOf(path), 404);
    await app.close();
  });
});
