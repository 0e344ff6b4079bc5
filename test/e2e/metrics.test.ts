/**
 * The metrics of the daemon as shipped: after people have authorized, declined and let a card expire, and after Feishu
 * was in trouble, the numbers are right; every name of CONTRACT §7 is there; nobody can be told from them; every
 * process tells the same of the fleet. FAILURES G-metrics-cardinality, A-half-open-no-watchdog (reason of a
 * reconnection), G-last-event-age-fed-by-pongs, E-admin-call-hangs-with-redis.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { CardCallback } from '../../src/config/config.js';
import { CONTRACT_METRICS } from '../support/contract-metrics.js';
import { eventually } from '../support/crowd.js';
import type { Daemon } from '../support/daemon.js';
import { grant, readToken, refreshNow } from '../support/grants.js';
import { findLeaks, secretsOfFeishu } from '../support/leaks.js';
import { patientAsk } from '../support/patient-ask.js';
import { readMetrics, type Scraped } from '../support/prometheus.js';
import { newScene, type Scene } from '../support/scene.js';
import { authorize, ended, newPerson } from '../support/steps.js';
import { WAY } from '../support/ways.js';

/** Metrics of the contract without a series, as there is no long connection. */
const UNTOLD_BY: Readonly<Record<CardCallback, readonly string[]>> = {
  long_connection: [],
  http: ['ws_connected', 'ws_reconnects_total', 'ws_last_event_timestamp_seconds'],
};

const FLEET = [
  'auth_session_active',
  'token_active_count',
  'grants_expiring',
  'api_budget_used_ratio',
  'queue_oldest_job_age_seconds',
  'redis_persistence_ok',
];

async function textOf(daemon: Daemon, baseUrl = daemon.baseUrl()): Promise<string> {
  const response = await fetch(`${baseUrl}/metrics`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  return await response.text();
}

const scrape = async (daemon: Daemon): Promise<Scraped> => readMetrics(await textOf(daemon));

const ours = (scraped: Scraped, name: string, labels: Readonly<Record<string, string>> = {}): number =>
  scraped.value(`lark_service_${name}`, labels);

/** Waits until a number is what it should be; says what it is when it never is. */
async function becomes(daemon: Daemon, name: string, labels: Readonly<Record<string, string>>, wanted: number) {
  let last = Number.NaN;
  const holds = async (): Promise<boolean> => {
    const scraped = await scrape(daemon);
    // What could not be read within the time of a scrape is not there.
    if (scraped.all(`lark_service_${name}`).length === 0) return false;
    last = ours(scraped, name, labels);
    return last === wanted;
  };
  const what = `${name} ${JSON.stringify(labels)} = ${wanted}`;
  await eventually(holds, 20_000, what).catch((error: Error) => assert.fail(`${error.message}; it is ${last}`));
}

/** What all the tests look at: one user has authorized, one declined here, one there, one let the card expire. */
async function live(scene: Scene): Promise<void> {
  const { daemon, openId, user } = scene;
  const tired = newPerson(scene, 'Zhang Wei');
  const expiring = await tired.ask({ ttl_seconds: 10 });
  const asked = await scene.ask({ scopes: ['docx:document:readonly'] });
  assert.equal(scene.consent({ link: await authorize(scene, asked), user }), 'ok');
  assert.equal((await ended(scene, asked.sessionId)).state, 'completed');
  for (const scopes of ['docx:document:readonly', 'docx:document:readonly', 'im:message:readonly']) {
    await daemon.call('GET', `/v1/users/${openId}/token?scopes=${scopes}`);
  }
  const here = newPerson(scene, 'Wang Fang');
  const declined = await here.ask();
  await here.click(declined, 'decline');
  const there = newPerson(scene, 'Chen Jie');
  const refused = await there.ask();
  const userCode = await authorize(scene, refused, there);
  assert.equal(scene.deny({ link: userCode, user: there.user }), 'ok');
  assert.equal((await ended(scene, refused.sessionId)).state, 'rejected');
  assert.equal((await ended(scene, expiring.sessionId)).state, 'expired');
}

/** The connection is lost once; or there is none, and no metric speaks of one. */
const CONNECTION_TOLD: Readonly<Record<CardCallback, (scene: Scene) => Promise<void>>> = {
  async long_connection({ app: { appId }, daemon, sim }) {
    const startedAt = Date.now() / 1000 - 60;
    sim.sockets()[0]?.terminate();
    await becomes(daemon, 'ws_reconnects_total', { app_id: appId, reason: 'dropped' }, 1);
    await becomes(daemon, 'ws_connected', { app_id: appId }, 1);
    assert.ok(ours(await scrape(daemon), 'ws_last_event_timestamp_seconds', { app_id: appId }) > startedAt);
  },
  async http({ daemon }) {
    const scraped = await scrape(daemon);
    for (const name of UNTOLD_BY.http) assert.deepEqual(scraped.all(`lark_service_${name}`), [], name);
  },
};

describe('GET /metrics', { concurrency: 3 }, () => {
  it('tells what has happened, in the names of the contract, and of nobody', async (t) => {
    const scene = await newScene(t, { env: { METRICS_PORT: '0' } });
    const { app, daemon, sim } = scene;
    const appId = app.appId;
    const born = await scrape(daemon);
    assert.deepEqual(born.all('lark_service_ws_last_event_timestamp_seconds'), []);
    await live(scene);
    sim.pushEvent(appId, sim.envelope(appId, 'im.message.receive_v1', { message: { message_id: 'om_other' } }));
    await becomes(daemon, 'events_total', { app_id: appId, type: 'other', result: 'unhandled' }, 1);
    await CONNECTION_TOLD[WAY.clicks](scene);
    await becomes(daemon, 'queue_jobs', { queue: 'card-update', state: 'active' }, 0);

    const text = await textOf(daemon);
    const scraped = readMetrics(text);
    const is = (name: string, labels: Record<string, string>, wanted: number): void =>
      assert.equal(ours(scraped, name, labels), wanted, `${name} ${JSON.stringify(labels)}`);
    is('auth_session_total', { app_id: appId }, 4);
    is('auth_session_active', { app_id: appId }, 0);
    is('auth_success_total', { app_id: appId }, 1);
    is('auth_session_expired_total', { app_id: appId }, 1);
    is('auth_failure_total', { app_id: appId, reason: 'rejected' }, 2);
    is('auth_failure_total', { app_id: appId, reason: 'upstream_error' }, 0);
    is('auth_duration_seconds_count', { app_id: appId }, 1);
    is('token_active_count', { app_id: appId }, 1);
    is('grants_expiring', { within: '1h' }, 0);
    is('grants_expiring', { within: '7d' }, 1);
    is('token_reads_total', { client: 'tester', result: 'issued' }, 2);
    is('token_reads_total', { client: 'tester', result: 'insufficient_scope' }, 1);
    is('card_ack_seconds_count', { action: 'authorize' }, 2);
    is('card_ack_seconds_count', { action: 'decline' }, 1);
    is('events_total', { app_id: appId, type: 'card.action.trigger', result: 'answered' }, 3);
    is('card_update_total', { result: 'sent' }, 4);
    is('api_requests_total', { api: 'im.message.create', code: '0' }, 4);
    is('api_requests_total', { api: 'oauth.device_authorization', code: '0' }, WAY.grant === 'device_code' ? 2 : 0);
    is('api_requests_total', { api: 'authen.user_info', code: '0' }, 1);
    is('api_budget_used_ratio', { app_id: appId, api: 'im.message.create' }, 0.004);
    is('redis_persistence_ok', {}, 1);
    is('encryption_key_missing', {}, 0);
    is('spool_entries', {}, 0);
    is('queue_oldest_job_age_seconds', { queue: 'session-expiry' }, 0);
    is('http_request_seconds_count', { route: '/v1/sessions', method: 'POST', status: '201' }, 4);
    assert.ok(scraped.value('bullmq_job_completed_total', { queue: 'card-action' }) >= 2);

    const told = [...scraped.families.values()].filter(({ name }) => name.startsWith('lark_service_'));
    const labelsOf = ({ series, type }: (typeof told)[number]) =>
      Object.keys(series[0]?.labels ?? { 'no series': '' }).filter((label) => type !== 'histogram' || label !== 'le');
    const ofThisWay = told.filter(({ name }) => !UNTOLD_BY[WAY.clicks].includes(name.slice(13)));
    const table = ofThisWay.map((family) => [family.name.slice(13), [family.type, ...labelsOf(family).sort()]]);
    const contract = Object.entries(CONTRACT_METRICS)
      .filter(([name]) => !UNTOLD_BY[WAY.clicks].includes(name))
      .map(([name, [type, ...labels]]) => [name, [type, ...labels.sort()]]);
    assert.deepEqual(Object.fromEntries(table), Object.fromEntries(contract));

    assert.doesNotMatch(text, /\b(ou|om|oc|on|as)_\w/);
    const secrets = secretsOfFeishu(sim);
    secrets.set('API key', daemon.apiKey).set('encryption key', daemon.encryptionKey);
    assert.deepEqual(findLeaks(Buffer.from(text), secrets), []);

    const other = await daemon.line('http.listening', (line) => line['server'] === 'health');
    const apart = readMetrics(await textOf(daemon, `http://127.0.0.1:${String(other['port'])}`));
    is('auth_session_total', { app_id: appId }, ours(apart, 'auth_session_total', { app_id: appId }));
  });

  it('counts what Feishu answers and what it does not, and cards that could not be shown', async (t) => {
    const scene = await newScene(t);
    const { daemon, sim } = scene;
    const asked = await scene.ask();
    await becomes(daemon, 'card_update_total', { result: 'sent' }, 1);
    sim.faults.add({ on: 'api', api: 'message.patch', kind: 'reset', times: 1 });
    sim.faults.add({ on: 'api', api: 'message.patch', kind: 'code', code: 230031, times: 1 });
    await scene.click(asked.messageId, 'authorize', asked.sessionId);
    await daemon.call('POST', `/v1/sessions/${asked.sessionId}/invalidate`);
    await becomes(daemon, 'card_update_total', { result: 'gone' }, 1);
    await becomes(daemon, 'api_requests_total', { api: 'im.message.patch', code: 'no_answer' }, 1);
    await becomes(daemon, 'api_requests_total', { api: 'im.message.patch', code: '230031' }, 1);
    await becomes(daemon, 'card_update_total', { result: 'uncertain' }, 1);
    const hidden = newPerson(scene, 'Zhao Min');
    sim.faults.add({ on: 'api', api: 'message.send', kind: 'code', code: 230013, openId: hidden.openId });
    await daemon.call('POST', '/v1/sessions', { open_id: hidden.openId });
    const labels = { app_id: scene.app.appId, reason: 'user_unreachable' };
    await becomes(daemon, 'auth_failure_total', labels, 1);
    await becomes(daemon, 'api_requests_total', { api: 'im.message.create', code: '230013' }, 1);
    sim.faults.add({ on: 'api', api: 'message.send', kind: 'status', status: 502, times: 1 });
    await newPerson(scene, 'Sun Li').ask();
    await becomes(daemon, 'api_requests_total', { api: 'im.message.create', code: 'no_code' }, 1);
    await becomes(daemon, 'card_update_total', { result: 'failed' }, 2);
    await becomes(daemon, 'auth_session_active', { app_id: scene.app.appId }, 1);
  });

  it('counts refreshes by what came of them, and grants until they end', async (t) => {
    const scene = await newScene(t);
    const { daemon, sim } = scene;
    const appId = scene.app.appId;
    const refreshed = async (result: string): Promise<number> =>
      ours(await scrape(daemon), 'token_refresh_total', { app_id: appId, result });
    await grant(scene);
    assert.equal((await refreshNow(scene)).status, 200);
    assert.deepEqual([await refreshed('success'), await refreshed('retry'), await refreshed('ended')], [1, 0, 0]);
    for (const [code, result] of [
      [20050, 'retry'],
      [20010, 'suspended'],
      [20037, 'ended'],
    ] as const) {
      const fault = sim.faults.add({ on: 'api', api: 'token', grant: 'refresh_token', kind: 'code', code });
      await refreshNow(scene);
      fault.clear();
      assert.ok((await refreshed(result)) >= 1, result);
      await becomes(daemon, 'token_active_count', { app_id: appId }, result === 'ended' ? 0 : 1);
    }
    assert.equal(await refreshed('success'), 1);
    const reads = { client: 'tester', result: 'reauthorization_required' };
    assert.equal((await readToken(scene)).status, 409);
    assert.ok(ours(await scrape(daemon), 'token_reads_total', reads) >= 1);
  });

  it('says the same of the fleet in every process, few series for many users, and answers while Redis is frozen', async (t) => {
    const scene = await newScene(t);
    const { daemon, redis } = scene;
    const second = await scene.another({ ROLES: 'api' });
    await second.readiness(200);
    const asked = await scene.ask();
    const code = await authorize(scene, asked);
    assert.equal(scene.consent({ link: code, user: scene.user }), 'ok');
    await scene.shows(asked.messageId, 'Authorized');
    await newPerson(scene, 'Wu Yan').ask();
    await daemon.call('GET', `/v1/users/ou_nobody/token`);
    await daemon.call('GET', '/nothing/here');
    const fleet = (scraped: Scraped) =>
      FLEET.map((name) => [name, scraped.all(`lark_service_${name}`).map(({ labels, value }) => [labels, value])]);
    let [before, there] = [await scrape(daemon), await scrape(second)];
    // A budget may refill and a job may be done between the two.
    const isSame = async (): Promise<boolean> => {
      [before, there] = [await scrape(daemon), await scrape(second)];
      return (
        FLEET.every((name) => before.all(`lark_service_${name}`).length > 0) &&
        isDeepStrictEqual(fleet(there), fleet(before))
      );
    };
    await eventually(isSame, 20_000, 'both processes to say the same of the fleet');
    assert.equal(ours(there, 'auth_session_active'), 1);
    assert.equal(ours(there, 'token_active_count'), 1);
    assert.deepEqual(there.all('lark_service_ws_connected'), [], 'it has no long connection to tell of');
    assert.equal(ours(there, 'auth_session_total'), 0, 'what one process has counted is its own');

    const strangers = Array.from({ length: 60 }, (_, i) => newPerson(scene, `Stranger ${i}`));
    await Promise.all(
      strangers.map(async ({ openId }, i) => {
        await patientAsk(daemon, { open_id: openId, metadata: { i: String(i) } });
        await daemon.call('GET', `/v1/users/${openId}/token`);
        await daemon.call('GET', `/random/${i}/${Math.random()}`);
      }),
    );
    const after = await scrape(daemon);
    assert.ok(after.seriesCount - before.seriesCount < 50, `${after.seriesCount - before.seriesCount} more series`);
    await becomes(daemon, 'auth_session_active', {}, 61);

    redis.freeze();
    t.after(() => redis.thaw());
    for (let i = 0; i < 3; i += 1) {
      const startedAt = performance.now();
      const frozen = await scrape(daemon);
      assert.ok(performance.now() - startedAt < 5_000, String(performance.now() - startedAt));
      assert.ok(ours(frozen, 'auth_session_total') > 60);
      assert.deepEqual(frozen.all('lark_service_auth_session_active'), []);
    }
    redis.thaw();
    await eventually(
      async () => (await scrape(daemon)).all('lark_service_auth_session_active').length === 1,
      15_000,
      'the gauges of the fleet to be back',
    );
  });
});
