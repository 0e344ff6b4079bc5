import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { connectionUrl, connectRaw, openRaw } from '../support/raw-client.js';
import { ask, type Scene, startScene } from '../support/scene.js';
import { connectSdk } from '../support/sdk-client.js';
import { headerOf } from './frame.js';

describe('opening and holding a long connection', () => {
  let scene: Scene;
  const start = async (...options: Parameters<typeof startScene>): Promise<void> => {
    await scene.simulator.close();
    scene = await startScene(...options);
  };
  const pull = async (secret = scene.app.appSecret) =>
    ask(scene.simulator, 'POST', '/callback/ws/endpoint', { AppID: scene.app.appId, AppSecret: secret });

  beforeEach(async () => {
    scene = await startScene({ clientConfig: { PingInterval: 30 } });
  });

  afterEach(async () => {
    await scene.simulator.close();
  });

  it('answers the endpoint with a URL whose secrets are in the book, and the four settings', async () => {
    const { body } = await pull();
    const data = body['data'] as { URL: string; ClientConfig: Record<string, number> };
    assert.equal(body['code'], 0);
    assert.deepEqual(data.ClientConfig, {
      PingInterval: 30,
      ReconnectInterval: 90,
      ReconnectNonce: 25,
      ReconnectCount: -1,
    });
    const url = new URL(data.URL);
    assert.equal([...url.searchParams.keys()][0], 'fpid');
    const secrets = scene.simulator.secrets(['ws_ticket', 'ws_access_key']);
    assert.ok(secrets.includes(url.searchParams.get('ticket') ?? ''));
    assert.ok(secrets.includes(url.searchParams.get('access_key') ?? ''));
  });

  it('refuses a wrong secret with 514, with data as told', async () => {
    assert.deepEqual((await pull('wrong')).body, { code: 514, msg: 'authentication failed', data: {} });
    await start({ endpointRefusal: { code: 10014, data: 'null' } });
    assert.deepEqual((await pull('wrong')).body, { code: 10014, msg: 'authentication failed', data: null });
    await start({ endpointRefusal: { code: 514, data: 'absent' } });
    assert.equal('data' in (await pull('wrong')).body, false);
  });

  it('tells an app of the other brand that the domain is wrong', async () => {
    const lark = scene.simulator.addApp({ brand: 'lark' });
    const credentials = { AppID: lark.appId, AppSecret: lark.appSecret };
    const { body } = await ask(scene.simulator, 'POST', '/callback/ws/endpoint', credentials);
    assert.equal(body['code'], 1000040351);
  });

  it('takes a ticket once, and no ticket that is made up', async () => {
    const url = await connectionUrl(scene.simulator, scene.app);
    await openRaw(url);
    await assert.rejects(openRaw(url), (error: Error & { headers: Record<string, string> }) => {
      assert.equal(error.message, 'HTTP 403');
      assert.equal(error.headers['handshake-status'], '403');
      return true;
    });
    await assert.rejects(openRaw(url.replace(/ticket=.*/, 'ticket=x')), /HTTP 403/);
  });

  it('refuses connections over the limit at the endpoint and at the handshake', async () => {
    await start({ limits: { connectionsPerApp: 1 } });
    const spare = await connectionUrl(scene.simulator, scene.app);
    await connectRaw(scene.simulator, scene.app);
    assert.equal((await pull()).body['code'], 1000040350);
    await assert.rejects(openRaw(spare), (error: Error & { headers: Record<string, string> }) => {
      assert.equal(error.headers['handshake-status'], '514');
      assert.equal(error.headers['handshake-autherrcode'], '1000040350');
      return true;
    });
  });

  it('keeps the slot of a connection that died badly for as long as told', async () => {
    await start({ limits: { connectionsPerApp: 1, connectionLingerMs: 1_000 } });
    const raw = await connectRaw(scene.simulator, scene.app);
    const closed = scene.simulator.waitFor('connection.closed');
    raw.socket.terminate();
    assert.equal((await closed).data['code'], 1006);
    assert.equal((await pull()).body['code'], 1000040350);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    assert.equal((await pull()).body['code'], 0);
  });

  it('answers a ping with the settings', async () => {
    const raw = await connectRaw(scene.simulator, scene.app);
    raw.ping();
    const pong = await raw.next();
    assert.equal(headerOf(pong, 'type'), 'pong');
    const settings = JSON.parse(Buffer.from(pong.payload ?? []).toString('utf8')) as { PingInterval: number };
    assert.equal(settings.PingInterval, 30);
  });

  it('matches acks by message_id, not by SeqID or LogID', async () => {
    const raw = await connectRaw(scene.simulator, scene.app);
    const result = scene.simulator.click({ messageId: await scene.sendCard(), user: scene.user, value: {} });
    const frame = await raw.next();
    raw.ack({ ...frame, SeqID: '0', LogID: '0' });
    assert.equal((await result).ackCode, 200);
  });

  it('counts an ack that came in time to a process that stalled and read it late', async () => {
    await start({ limits: { ackTimeoutMs: 300 } });
    const raw = await connectRaw(scene.simulator, scene.app);
    const result = scene.simulator.click({ messageId: await scene.sendCard(), user: scene.user, value: {} });
    raw.ack(await raw.next());
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    assert.equal((await result).ackCode, 200);
  });

  it('ignores an ack with another message_id and one on another connection', async () => {
    await start({ limits: { ackTimeoutMs: 300 } });
    const [first, second] = [
      await connectRaw(scene.simulator, scene.app),
      await connectRaw(scene.simulator, scene.app),
    ];
    const [target] = scene.simulator.connections(scene.app.appId);
    const connectionId = target?.connectionId ?? '';
    const click = scene.simulator.click({
      messageId: await scene.sendCard(),
      user: scene.user,
      value: {},
      connectionId,
    });
    const frame = await first.next();
    second.ack(frame);
    first.ack({
      ...frame,
      headers: frame.headers.map((header) => ({ ...header, value: header.key === 'message_id' ? 'x' : header.value })),
    });
    assert.equal((await click).errorCode, 200341);
  });

  it('counts an ack on another connection when told to', async () => {
    await start({ ackOnAnyConnection: true });
    const [first, second] = [
      await connectRaw(scene.simulator, scene.app),
      await connectRaw(scene.simulator, scene.app),
    ];
    const connectionId = scene.simulator.connections(scene.app.appId)[0]?.connectionId ?? '';
    const click = scene.simulator.click({
      messageId: await scene.sendCard(),
      user: scene.user,
      value: {},
      connectionId,
    });
    second.ack(await first.next());
    assert.equal((await click).errorCode, undefined);
  });

  it('judges acks that no SDK would send', async () => {
    const raw = await connectRaw(scene.simulator, scene.app);
    const messageId = await scene.sendCard();
    const notUtf8 = Buffer.from('{"toast":{"content":"\u00ff"}}', 'latin1');
    for (const [payload, errorCode] of [
      [{ code: 200, data: '{"toast":{}}' }, 200672],
      [{ code: 200, data: Buffer.from('{"toast":').toString('base64') }, 200672],
      [{ code: 200, data: 'e30' }, 200672],
      [{ code: 200, data: notUtf8.toString('base64') }, 200672],
      ['not json', 200671],
      [{ data: '' }, 200671],
      [{ code: 200, headers: null, data: null }, undefined],
    ] as const) {
      const click = scene.simulator.click({ messageId, user: scene.user, value: {} });
      raw.ack(await raw.next(), payload);
      assert.equal((await click).errorCode, errorCode, JSON.stringify(payload));
    }
  });

  it('sends fragments in the order asked for', async () => {
    await start({ limits: { ackTimeoutMs: 300 } });
    const raw = await connectRaw(scene.simulator, scene.app);
    const click = { messageId: await scene.sendCard(), user: scene.user, value: {}, fragments: 3 };
    const result = scene.simulator.click({ ...click, fragmentOrder: 'reverse' });
    const frames = [await raw.next(), await raw.next(), await raw.next()];
    assert.deepEqual(
      frames.map((frame) => [headerOf(frame, 'seq'), headerOf(frame, 'sum')]),
      [
        ['2', '3'],
        ['1', '3'],
        ['0', '3'],
      ],
    );
    raw.ack(frames[0] ?? assert.fail());
    assert.equal((await result).errorCode, undefined);
  });

  it('spreads pushes over the connections of an app, each to one of them', async () => {
    const clients = [await connectRaw(scene.simulator, scene.app), await connectRaw(scene.simulator, scene.app)];
    for (const client of clients) client.socket.on('message', () => client.ack(client.frames.at(-1) ?? assert.fail()));
    const messageId = await scene.sendCard();
    for (let count = 0; count < 40; count += 1) {
      assert.equal((await scene.simulator.click({ messageId, user: scene.user, value: {} })).errorCode, undefined);
    }
    const [one, two] = clients.map((client) => client.frames.length);
    assert.equal((one ?? 0) + (two ?? 0), 40);
    assert.ok(one !== undefined && one > 5 && one < 35, `${one} of 40`);
  });

  it('shows 200340 when nothing is connected or the callback is not configured', async () => {
    const messageId = await scene.sendCard();
    assert.equal((await scene.simulator.click({ messageId, user: scene.user, value: {} })).errorCode, 200340);
    await connectRaw(scene.simulator, scene.app);
    scene.simulator.changeApp(scene.app.appId, { callbacksConfigured: false });
    assert.equal((await scene.simulator.click({ messageId, user: scene.user, value: {} })).errorCode, 200340);
  });

  it('writes the first frame together with the 101 answer when told, which a bare client receives', async () => {
    const messageId = await scene.sendCard();
    const click = scene.simulator.click({ messageId, user: scene.user, value: {}, withUpgrade: true });
    const raw = await connectRaw(scene.simulator, scene.app);
    raw.ack(await raw.next());
    assert.equal((await click).errorCode, undefined);
  });

  it('loses such a frame to the SDK, as measured (FAILURES A, ground truth)', async () => {
    await start({ limits: { ackTimeoutMs: 300 } });
    const messageId = await scene.sendCard();
    let handled = 0;
    const click = scene.simulator.click({ messageId, user: scene.user, value: {}, withUpgrade: true });
    const sdk = await connectSdk(scene.simulator, scene.app, { 'card.action.trigger': () => (handled += 1) });
    assert.equal((await click).errorCode, 200341);
    assert.equal(handled, 0);
    sdk.close();
  });

  it('closes with a code and cuts without one', async () => {
    const first = await connectRaw(scene.simulator, scene.app);
    scene.simulator.sockets()[0]?.close(1001, 'going away');
    assert.equal((await once(first.socket, 'close'))[0], 1001);
    const second = await connectRaw(scene.simulator, scene.app);
    second.socket.on('error', () => undefined);
    scene.simulator.sockets()[0]?.terminate();
    assert.equal((await once(second.socket, 'close'))[0], 1006);
  });
});
