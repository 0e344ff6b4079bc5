/** The metrics of one process without a daemon: the text is valid, labels are bounded, nothing is said that is not known. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { METRIC_TABLE, PREFIX } from '../../src/telemetry/metric-table.js';
import type { MetricsRegistry } from '../../src/telemetry/metrics.js';
import { CONTRACT_METRICS } from '../support/contract-metrics.js';
import { newMetrics } from '../support/metrics.js';
import { readMetrics } from '../support/prometheus.js';

const APP = 'cli_0123456789abcdef';
const known = () =>
  newMetrics({ appIds: [APP], clientIds: ['reports'], feishuCodes: [230013], eventTypes: ['card.action.trigger'] });
const read = async (metrics: MetricsRegistry) => readMetrics(await metrics.text());

describe('the metrics of a process', () => {
  it('are those of CONTRACT §7 by name, type and labels, and no others', () => {
    const own = Object.entries(METRIC_TABLE).map(([name, { labels, type }]) => [name, [type, ...labels]]);
    assert.deepEqual(Object.fromEntries(own), CONTRACT_METRICS);
  });

  it('stand in the table of README.md', async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    for (const [name, { help, labels }] of Object.entries(METRIC_TABLE)) {
      const row = readme.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
      assert.ok(row, `${name} is missing`);
      const cells = row.split('|').map((cell) => cell.trim());
      assert.deepEqual(cells.slice(2, 4), [labels.map((label) => `\`${label}\``).join(', '), help], name);
    }
  });

  it('are valid text from the first moment, with the type of everything and the process beside', async () => {
    const scraped = await read(known());
    for (const [name, { type }] of Object.entries(METRIC_TABLE)) {
      assert.equal(scraped.families.get(PREFIX + name)?.type, type, name);
    }
    assert.ok(scraped.value('process_start_time_seconds') > 1e9);
    assert.ok(scraped.families.has('nodejs_eventloop_lag_seconds'));
    assert.equal(scraped.value('lark_service_build_info', { version: '0.0.0' }), 1);
  });

  it('stand at 0 before anything has happened, so that the first time shows as an increase', async () => {
    const scraped = await read(known());
    const zero = (name: string, labels: Record<string, string>): void => {
      assert.deepEqual(
        scraped.all(name, labels).map(({ value }) => value),
        [0],
        `${name} ${JSON.stringify(labels)}`,
      );
    };
    zero('lark_service_auth_session_total', { app_id: APP });
    zero('lark_service_auth_failure_total', { app_id: APP, reason: 'user_unreachable' });
    zero('lark_service_auth_failure_total', { app_id: APP, reason: 'rejected' });
    zero('lark_service_token_refresh_total', { app_id: APP, result: 'retry' });
    zero('lark_service_card_update_total', { result: 'failed' });
    zero('lark_service_card_ack_seconds_count', { action: 'authorize' });
    zero('lark_service_events_total', { app_id: APP, type: 'card.action.trigger', result: 'answered' });
  });

  it('count what they are told', async () => {
    const metrics = known();
    const { counts } = metrics;
    counts.sessionCreated(APP);
    counts.sessionCompleted(APP, 42);
    counts.sessionExpired(APP);
    counts.sessionFailed(APP, 'rejected');
    counts.tokenRefreshed(APP, 'ended');
    counts.wsReconnecting(APP, 'no_pong');
    counts.cardAcked('agreed', 0.25);
    counts.cardUpdated('gone');
    counts.feishuCalled({ api: 'oauth.token', code: 0, seconds: 0.3 });
    const scraped = await read(metrics);
    const value = (name: string, labels: Record<string, string>): number =>
      scraped.value(`lark_service_${name}`, labels);
    assert.equal(value('auth_session_total', { app_id: APP }), 1);
    assert.equal(value('auth_success_total', { app_id: APP }), 1);
    assert.equal(value('auth_duration_seconds_sum', { app_id: APP }), 42);
    assert.equal(value('auth_duration_seconds_bucket', { app_id: APP, le: '30' }), 0);
    assert.equal(value('auth_duration_seconds_bucket', { app_id: APP, le: '60' }), 1);
    assert.equal(value('auth_session_expired_total', { app_id: APP }), 1);
    assert.equal(value('auth_failure_total', { app_id: APP, reason: 'rejected' }), 1);
    assert.equal(value('token_refresh_total', { app_id: APP, result: 'ended' }), 1);
    assert.equal(value('ws_reconnects_total', { app_id: APP, reason: 'no_pong' }), 1);
    assert.equal(value('card_ack_seconds_bucket', { action: 'agreed', le: '0.3' }), 1);
    assert.equal(value('card_update_total', { result: 'gone' }), 1);
    assert.equal(value('api_requests_total', { api: 'oauth.token', code: '0' }), 1);
    assert.equal(value('api_request_seconds_count', { api: 'oauth.token' }), 1);
  });

  it('hold what comes from outside to bounded sets', async () => {
    const metrics = known();
    const { counts } = metrics;
    const before = (await read(metrics)).seriesCount;
    for (let i = 0; i < 500; i += 1) {
      counts.eventReceived({ appId: `cli_${i}`, type: `im.message.${i}`, result: 'unhandled' });
      counts.feishuCalled({ api: 'oauth.token', code: 300_000 + i, seconds: 1 });
      counts.tokenRead(`client-${i}`, 'issued');
      counts.httpAnswered({ route: null, method: `METHOD-${i}`, status: 404, seconds: 0.01 });
    }
    counts.feishuCalled({ api: 'oauth.token', code: 230013, seconds: 1 });
    const scraped = await read(metrics);
    assert.ok(scraped.seriesCount - before < 40, String(scraped.seriesCount - before));
    const labels = { app_id: 'other', type: 'other', result: 'unhandled' };
    assert.equal(scraped.value('lark_service_events_total', labels), 500);
    assert.equal(scraped.value('lark_service_api_requests_total', { code: 'other' }), 500);
    assert.equal(scraped.value('lark_service_api_requests_total', { code: '230013' }), 1);
    assert.equal(scraped.value('lark_service_token_reads_total', { client: 'other' }), 500);
    const http = { route: 'other', method: 'other', status: '404' };
    assert.equal(scraped.value('lark_service_http_request_seconds_count', http), 500);
  });

  it('never fail the flow that counts, whatever the clock has done', async () => {
    const metrics = known();
    metrics.counts.sessionCompleted(APP, -5);
    metrics.counts.cardAcked('authorize', Number.NaN);
    const scraped = await read(metrics);
    assert.equal(scraped.value('lark_service_auth_duration_seconds_sum', { app_id: APP }), 0);
    assert.equal(scraped.value('lark_service_card_ack_seconds_count', { action: 'authorize' }), 1);
  });

  it('say nothing about a gauge that is not known, and nothing any more when it is not known any more', async () => {
    const metrics = known();
    const shown = async () => (await read(metrics)).all('lark_service_redis_persistence_ok').map(({ value }) => value);
    assert.deepEqual(await shown(), []);
    metrics.show('redis_persistence_ok', [{ labels: {}, value: 1 }]);
    assert.deepEqual(await shown(), [1]);
    metrics.show('redis_persistence_ok', []);
    assert.deepEqual(await shown(), []);
    metrics.show('queue_jobs', [{ labels: { queue: 'a"\\\n', state: 'waiting' }, value: 3 }]);
    assert.equal((await read(metrics)).value('lark_service_queue_jobs', { queue: 'a"\\\n' }), 3);
  });

  it('of two registries do not know of each other', async () => {
    const one = known();
    const other = known();
    one.counts.sessionCreated(APP);
    assert.equal((await read(other)).value('lark_service_auth_session_total', { app_id: APP }), 0);
  });
});
