import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ask, type Scene, startScene, tenantToken } from '../support/scene.js';
import { card } from '../support/sdk-client.js';

const USER_INFO = '/open-apis/authen/v1/user_info';

describe('faults of API calls', () => {
  let scene: Scene;

  const get = (timeoutMs?: number) => ask(scene.simulator, 'GET', USER_INFO, undefined, {}, timeoutMs);
  const send = (token: string) =>
    ask(
      scene.simulator,
      'POST',
      '/open-apis/im/v1/messages?receive_id_type=open_id',
      { receive_id: scene.openId, msg_type: 'interactive', content: JSON.stringify(card('x')), uuid: 'u' },
      { authorization: `Bearer ${token}` },
    );

  beforeEach(async () => {
    scene = await startScene();
  });

  afterEach(async () => {
    await scene.simulator.close();
  });

  it('plays a list of faults as a script, in the order they were set', async () => {
    const { faults } = scene.simulator;
    faults.add({ on: 'api', api: 'user_info', kind: 'code', code: 20050, times: 1 });
    faults.add({ on: 'api', api: 'user_info', kind: 'html', times: 1 });
    faults.add({ on: 'api', api: 'user_info', kind: 'status', status: 418, body: { odd: true }, times: 1 });
    faults.add({ on: 'api', api: 'user_info', kind: 'code', code: 99991400, resetSeconds: 7, times: 1 });
    assert.deepEqual([(await get()).status, (await get()).body['text']?.toString().slice(0, 6)], [500, '<html>']);
    assert.deepEqual((await get()).body, { odd: true });
    const limited = await get();
    assert.deepEqual([limited.status, limited.headers.get('x-ogw-ratelimit-reset')], [429, '7']);
    assert.equal((await get()).body['code'], 99991661);
  });

  it('resets, and hangs until the caller gives up, which close() does not wait for', async () => {
    scene.simulator.faults.add({ on: 'api', api: 'user_info', kind: 'reset', times: 1 });
    await assert.rejects(get(), /fetch failed/);
    scene.simulator.faults.add({ on: 'api', api: 'user_info', kind: 'hang' });
    await assert.rejects(get(100), { name: 'TimeoutError' });
    const hanging = assert.rejects(get(), /fetch failed/);
    await scene.simulator.waitFor('call.held');
    await scene.simulator.close();
    await hanging;
    assert.equal(scene.simulator.calls.at(-1)?.endedAt, undefined);
  });

  it('delays on top of another fault, and by the latency of the API', async () => {
    await scene.simulator.close();
    scene = await startScene({ latencyMs: { user_info: 60 } });
    const startedAt = performance.now();
    scene.simulator.faults.add({ on: 'api', api: '*', kind: 'delay', ms: 60 });
    scene.simulator.faults.add({ on: 'api', api: 'user_info', kind: 'code', code: 20005 });
    assert.equal((await get()).body['code'], 20005);
    assert.ok(performance.now() - startedAt >= 110);
  });

  it('holds a call until it is released', async () => {
    const hold = scene.simulator.faults.add({ on: 'api', api: 'user_info', kind: 'hold' });
    const answer = get();
    await scene.simulator.waitFor('call.held');
    hold.release();
    assert.equal((await answer).body['code'], 99991661);
    assert.equal(hold.fired, 1);
  });

  it('stores, then answers 500; the same uuid finds what was stored', async () => {
    const token = await tenantToken(scene.simulator, scene.app);
    scene.simulator.faults.add({
      on: 'api',
      api: 'message.send',
      kind: 'status',
      status: 500,
      when: 'after',
      times: 1,
    });
    assert.equal((await send(token)).status, 500);
    const stored = scene.simulator.messages();
    assert.equal(stored.length, 1);
    assert.equal(((await send(token)).body['data'] as { message_id: string }).message_id, stored[0]?.messageId);
  });

  it('consumes a refresh token, then hangs up', async () => {
    const code = await ask(scene.simulator, 'POST', '/oauth/v1/device_authorization', {
      client_id: scene.app.appId,
      client_secret: scene.app.appSecret,
      scope: 'offline_access',
    });
    scene.simulator.consent({ userCode: String(code.body['user_code']), user: scene.user });
    const client = { client_id: scene.app.appId, client_secret: scene.app.appSecret };
    const path = '/open-apis/authen/v2/oauth/token';
    const grant = 'urn:ietf:params:oauth:grant-type:device_code';
    const set = await ask(scene.simulator, 'POST', path, {
      ...client,
      grant_type: grant,
      device_code: code.body['device_code'],
    });
    const refresh = () =>
      ask(scene.simulator, 'POST', path, {
        ...client,
        grant_type: 'refresh_token',
        refresh_token: set.body['refresh_token'],
      });
    const aim = { on: 'api', api: 'token', grant: 'refresh_token', times: 1 } as const;
    scene.simulator.faults.add({ ...aim, kind: 'code', code: 20050 });
    assert.equal((await refresh()).body['code'], 20050);
    scene.simulator.faults.add({ ...aim, kind: 'reset', when: 'after', openId: scene.openId });
    await assert.rejects(refresh(), /fetch failed/);
    assert.equal((await refresh()).body['code'], 20073);
    assert.equal(scene.simulator.refreshLedger.length, 2);
  });

  it('applies a PATCH late although the caller was told 504', async () => {
    const messageId = await scene.sendCard();
    scene.simulator.faults.add({ on: 'api', api: 'message.patch', kind: 'late', ms: 50, answer: 504, times: 1 });
    const path = `/open-apis/im/v1/messages/${messageId}`;
    assert.equal((await scene.call('PATCH', path, { content: JSON.stringify(card('late')) })).status, 504);
    assert.equal((await scene.call('PATCH', path, { content: JSON.stringify(card('newer')) })).status, 200);
    await scene.simulator.until(() => scene.simulator.message(messageId)?.history.length === 3);
    assert.deepEqual(scene.simulator.message(messageId)?.content, card('late'));
  });

  it('rewrites members of an answer', async () => {
    scene.simulator.faults.add({
      on: 'api',
      api: 'endpoint',
      kind: 'rewrite',
      set: { 'data.ClientConfig.PingInterval': 0, 'data.URL': '' },
      remove: ['data.ClientConfig.ReconnectCount', 'no.such.member'],
    });
    const { body } = await ask(scene.simulator, 'POST', '/callback/ws/endpoint', {
      AppID: scene.app.appId,
      AppSecret: scene.app.appSecret,
    });
    assert.deepEqual(body['data'], {
      URL: '',
      ClientConfig: { PingInterval: 0, ReconnectInterval: 90, ReconnectNonce: 25 },
    });
  });

  it('answers endpoint codes with, without and with a null data object', async () => {
    const pull = async () => (await ask(scene.simulator, 'POST', '/callback/ws/endpoint', {})).body;
    for (const data of ['empty', 'null', 'absent'] as const) {
      scene.simulator.faults.add({ on: 'api', api: 'endpoint', kind: 'code', code: 1000040343, data, times: 1 });
    }
    assert.deepEqual((await pull())['data'], {});
    assert.equal((await pull())['data'], null);
    assert.equal('data' in (await pull()), false);
  });

  it('answers RFC errors and every code of the token table with its status', async () => {
    const poll = () => ask(scene.simulator, 'POST', '/open-apis/authen/v2/oauth/token', {});
    const aim = { on: 'api', api: 'token', times: 1 } as const;
    for (const [code, status] of [
      [20002, 400],
      [20050, 500],
      [20072, 503],
      [99991400, 429],
    ] as const) {
      scene.simulator.faults.add({ ...aim, kind: 'code', code });
      const answer = await poll();
      assert.deepEqual([answer.body['code'], answer.status], [code, status]);
    }
    scene.simulator.faults.add({ ...aim, kind: 'oauth_error', error: 'slow_down', code: 20095 });
    assert.equal((await poll()).body['error'], 'slow_down');
  });

  it('skips, aims at one app, and is spent after its times', async () => {
    const other = scene.simulator.addApp();
    const { faults } = scene.simulator;
    faults.add({
      on: 'api',
      api: 'tenant_access_token',
      kind: 'code',
      code: 10012,
      appId: other.appId,
      skip: 1,
      times: 1,
    });
    const code = async (app: { appId: string; appSecret: string }) =>
      (
        await ask(scene.simulator, 'POST', '/open-apis/auth/v3/tenant_access_token/internal', {
          app_id: app.appId,
          app_secret: app.appSecret,
        })
      ).body['code'];
    assert.deepEqual(
      [await code(scene.app), await code(other), await code(scene.app), await code(other), await code(other)],
      [0, 0, 0, 10012, 0],
    );
    assert.equal(faults.list().length, 0);
  });
});
