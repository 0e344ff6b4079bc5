import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { connectRaw } from '../support/raw-client.js';
import { ask, type Scene, startScene } from '../support/scene.js';
import { card } from '../support/sdk-client.js';

describe('the control API', () => {
  let scene: Scene;

  const get = async (path: string) => (await ask(scene.simulator, 'GET', path)).body;
  const post = (path: string, body: unknown) => ask(scene.simulator, 'POST', path, body);
  const deviceCode = async (): Promise<Record<string, unknown>> =>
    (
      await post('/oauth/v1/device_authorization', {
        client_id: scene.app.appId,
        client_secret: scene.app.appSecret,
        scope: 'offline_access a',
      })
    ).body;

  beforeEach(async () => {
    scene = await startScene();
  });

  afterEach(async () => {
    await scene.simulator.close();
  });

  it('shows apps, people, chats with what the client shows now, and connections', async () => {
    const messageId = await scene.sendCard(card('hello'));
    await connectRaw(scene.simulator, scene.app);
    const state = await get('/sim/state');
    assert.deepEqual(state['apps'], [{ app_id: scene.app.appId, name: '订单助手' }]);
    const { userId } = scene.user;
    assert.deepEqual(state['users'], [
      { user_id: userId, name: '王芳', locale: 'zh_cn', open_ids: { [scene.app.appId]: scene.openId } },
    ]);
    const [chat] = state['chats'] as { kind: string; members: string[]; messages: Record<string, unknown>[] }[];
    assert.deepEqual([chat?.kind, chat?.members], ['p2p', [userId]]);
    const [message] = chat?.messages ?? [];
    assert.deepEqual([message?.['message_id'], message?.['kind'], message?.['clicking']], [messageId, 'card', false]);
    assert.deepEqual(message?.['content'], card('hello'));
    assert.equal((state['connections'] as unknown[]).length, 1);
  });

  it('clicks for a person and answers with the toast in the language asked for', async () => {
    const messageId = await scene.sendCard();
    const raw = await connectRaw(scene.simulator, scene.app);
    const click = post('/sim/click', {
      message_id: messageId,
      user_id: scene.user.userId,
      value: { a: 1 },
      locale: 'en_us',
    });
    const answer = {
      toast: { type: 'info', content: '好', i18n: { en_us: 'ok' } },
      card: { type: 'raw', data: card('new') },
    };
    raw.ack(await raw.next(), { code: 200, data: Buffer.from(JSON.stringify(answer)).toString('base64') });
    const { body } = await click;
    assert.deepEqual([body['ok'], body['toast'], body['card']], [true, { type: 'info', content: 'ok' }, card('new')]);
    assert.equal(typeof body['took_ms'], 'number');
  });

  it('says what went wrong with a click', async () => {
    const answer = await post('/sim/click', {
      message_id: await scene.sendCard(),
      user_id: scene.user.userId,
      value: {},
    });
    assert.deepEqual([answer.body['ok'], answer.body['error_code']], [false, 200340]);
    assert.equal((await post('/sim/click', { message_id: 'om_x', user_id: 'u' })).status, 400);
  });

  it('shows a device code and takes consent and refusal', async () => {
    const [agreed, refused] = [await deviceCode(), await deviceCode()];
    const device = await get(`/sim/device?user_code=${String(agreed['user_code'])}`);
    assert.deepEqual(
      [device['app_name'], device['status'], device['scopes']],
      ['订单助手', 'pending', ['offline_access', 'a']],
    );
    const user = { user_id: scene.user.userId };
    assert.equal((await post('/sim/consent', { ...user, user_code: agreed['user_code'], scopes: ['a'] })).status, 200);
    assert.equal((await post('/sim/consent', { ...user, user_code: agreed['user_code'] })).status, 409);
    assert.equal((await post('/sim/deny', { user_code: refused['user_code'] })).status, 200);
    assert.equal((await post('/sim/deny', { user_code: 'XXXX-XXXX' })).status, 404);
    const statuses = [agreed, refused].map(({ user_code }) => get(`/sim/device?user_code=${String(user_code)}`));
    assert.deepEqual(
      (await Promise.all(statuses)).map(({ status }) => status),
      ['approved', 'denied'],
    );
    assert.deepEqual(scene.simulator.deviceCodes()[0]?.grantedScopes, ['a']);
  });

  it('streams what happens as server-sent events', async () => {
    const response = await fetch(`${scene.simulator.baseUrl}/sim/events`, { signal: AbortSignal.timeout(5000) });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader() ?? assert.fail();
    const messageId = await scene.sendCard();
    let text = '';
    while (!text.includes('event: message\n')) text += (await reader.read()).value ?? assert.fail('the stream ended');
    assert.match(text, new RegExp(`data: .*"message_id":"${messageId}"`));
    await reader.cancel();
  });

  it('sets, lists, releases and clears faults', async () => {
    const fault = { on: 'api', api: 'user_info', kind: 'code', code: 20005 };
    const { body } = await post('/sim/faults', { set: fault });
    const code = async () => (await get('/open-apis/authen/v1/user_info'))['code'];
    assert.equal(await code(), 20005);
    assert.deepEqual((await get('/sim/faults'))['faults'], [{ id: body['id'], fired: 1, ...fault }]);
    await post('/sim/faults', { clear: body['id'] });
    assert.equal(await code(), 99991661);
    const hold = (await post('/sim/faults', { set: { on: 'api', api: 'user_info', kind: 'hold' } })).body;
    const held = code();
    await scene.simulator.waitFor('call.held');
    await post('/sim/faults', { release: hold['id'] });
    assert.equal(await held, 99991661);
    await post('/sim/faults', { clear: 'all' });
    assert.equal((await post('/sim/faults', {})).status, 400);
  });

  it('lists calls, pushes events and breaks connections', async () => {
    const raw = await connectRaw(scene.simulator, scene.app);
    await post('/sim/events/push', { app_id: scene.app.appId, event_type: 'im.message.receive_v1', event: { a: 1 } });
    raw.ack(await raw.next());
    await post('/sim/connections', { app_id: scene.app.appId, do: 'close', code: 1011 });
    assert.equal((await once(raw.socket, 'close'))[0], 1011);
    const calls = (await get('/sim/calls'))['calls'] as { api: string; status: number; code: number }[];
    assert.deepEqual(
      calls.map(({ api, status, code }) => [api, status, code]),
      [['endpoint', 200, 0]],
    );
  });

  it('redirects applinks to the page they wrap and serves no file outside the page folder', async () => {
    const target = `${scene.simulator.baseUrl}/oauth/v1/device/verify?user_code=A`;
    const applink = await ask(
      scene.simulator,
      'GET',
      `/client/web_url/open?mode=window&url=${encodeURIComponent(target)}`,
    );
    assert.deepEqual([applink.status, applink.headers.get('location')], [302, target]);
    // fetch would tidy the path up before sending it.
    const outside = request(`${scene.simulator.baseUrl}`, { path: '/../../../package.json', agent: false });
    const [answer] = (await once(outside.end(), 'response')) as [IncomingMessage];
    answer.resume();
    assert.equal(answer.statusCode, 404);
    assert.equal((await ask(scene.simulator, 'GET', '/no/such/file.js')).status, 404);
  });

  it('runs as a process of its own that says its address and ends on SIGTERM', async () => {
    const options = JSON.stringify({ apps: [{ name: 'Solo' }], users: [{ name: 'Ann' }] });
    const script = new URL('../main.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, ['--import', 'tsx', script, options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const ready = JSON.parse(line) as { url: string; apps: { name: string }[] };
    const state = (await (await fetch(`${ready.url}/sim/state`)).json()) as { apps: { name: string }[] };
    assert.deepEqual([ready.apps[0]?.name, state.apps[0]?.name], ['Solo', 'Solo']);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });
});
