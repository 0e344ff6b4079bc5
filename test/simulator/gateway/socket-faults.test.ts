import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { connectionUrl, connectRaw, openRaw } from '../support/raw-client.js';
import { type Scene, startScene } from '../support/scene.js';
import { connectSdk } from '../support/sdk-client.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('faults of the handshake and of live connections', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await startScene({
      clientConfig: { PingInterval: 1, ReconnectNonce: 0, ReconnectInterval: 1 },
      limits: { ackTimeoutMs: 300 },
    });
  });

  afterEach(async () => {
    await scene.simulator.close();
  });

  it('refuses the handshake with the headers asked for, and lets the SDK retry into success', async () => {
    scene.simulator.faults.add({
      on: 'handshake',
      kind: 'refuse',
      status: 400,
      handshakeStatus: 514,
      authErrorCode: 1,
      times: 1,
    });
    await assert.rejects(
      connectRaw(scene.simulator, scene.app),
      (error: Error & { headers: Record<string, string> }) => {
        assert.equal(error.headers['handshake-autherrcode'], '1');
        return true;
      },
    );
    await connectRaw(scene.simulator, scene.app);
  });

  it('hangs, resets and half-answers handshakes', async () => {
    const { faults } = scene.simulator;
    const hang = faults.add({ on: 'handshake', kind: 'hang' });
    const url = await connectionUrl(scene.simulator, scene.app);
    const outcome = await Promise.race([openRaw(url).catch(() => 'refused'), pause(150).then(() => 'hanging')]);
    assert.equal(outcome, 'hanging');
    hang.clear();
    for (const kind of ['reset', 'half_answer'] as const) {
      faults.add({ on: 'handshake', kind, times: 1 });
      await assert.rejects(connectRaw(scene.simulator, scene.app), kind);
    }
    await connectRaw(scene.simulator, scene.app);
  });

  it('accepts, then closes or cuts after a while', async () => {
    scene.simulator.faults.add({ on: 'handshake', kind: 'accept_then_close', ms: 30, code: 1011, times: 1 });
    const raw = await connectRaw(scene.simulator, scene.app);
    assert.equal((await once(raw.socket, 'close'))[0], 1011);
  });

  it('delays a handshake', async () => {
    scene.simulator.faults.add({ on: 'handshake', kind: 'delay', ms: 120, times: 1 });
    const startedAt = Date.now();
    await connectRaw(scene.simulator, scene.app);
    assert.ok(Date.now() - startedAt >= 110);
  });

  it('makes a black hole of a connection and heals it again', async () => {
    const raw = await connectRaw(scene.simulator, scene.app);
    const hole = scene.simulator.faults.add({ on: 'socket', kind: 'blackhole' });
    raw.ping();
    await pause(100);
    assert.equal(raw.frames.length, 0);
    assert.equal(scene.simulator.connections().length, 1);
    assert.equal(scene.simulator.connections()[0]?.pings.length, 0);
    hole.clear();
    await raw.next();
    assert.equal(scene.simulator.connections()[0]?.pings.length, 1);
  });

  it('lets the SDK notice a black hole by its watchdog and come back', async () => {
    const sdk = await connectSdk(scene.simulator, scene.app, {}, { pingTimeoutSeconds: 0.5 });
    const again = scene.simulator.waitFor('connection.opened');
    scene.simulator.sockets()[0]?.blackhole();
    await again;
    assert.equal(sdk.reconnects.reconnecting, 1);
    sdk.close();
  });

  it('answers pings on a deaf connection but routes nothing to it', async () => {
    const raw = await connectRaw(scene.simulator, scene.app);
    scene.simulator.sockets()[0]?.deafen();
    raw.ping();
    await raw.next();
    const messageId = await scene.sendCard();
    assert.equal((await scene.simulator.click({ messageId, user: scene.user, value: {} })).errorCode, 200340);
    const fresh = await connectRaw(scene.simulator, scene.app);
    const click = scene.simulator.click({ messageId, user: scene.user, value: {} });
    fresh.ack(await fresh.next());
    assert.equal((await click).errorCode, undefined);
  });

  it('leaves pings unanswered, answers late, or only some of them late', async () => {
    const raw = await connectRaw(scene.simulator, scene.app);
    const none = scene.simulator.faults.add({ on: 'socket', kind: 'no_pong' });
    raw.ping();
    await scene.simulator.until(() => scene.simulator.connections()[0]?.pings.length === 1);
    await pause(60);
    assert.equal(raw.frames.length, 0);
    none.clear();
    scene.simulator.faults.add({ on: 'socket', kind: 'pong_delay', ms: 1_000, every: 3 });
    raw.ping();
    raw.ping();
    await raw.next();
    await pause(60);
    assert.equal(raw.frames.length, 1, 'the second ping counted is the third of the connection');
    await raw.next();
  });

  for (const payload of [
    '{}',
    JSON.stringify({ PingInterval: 0, ReconnectCount: -1, ReconnectInterval: 1, ReconnectNonce: 1 }),
  ]) {
    it(`drives an unguarded SDK into hundreds of pings with the pong ${payload.slice(0, 17)}`, async () => {
      scene.simulator.faults.add({ on: 'socket', kind: 'pong_payload', payload });
      const sdk = await connectSdk(scene.simulator, scene.app, {});
      await scene.simulator.until(() => (scene.simulator.connections()[0]?.pings.length ?? 0) > 50);
      sdk.close();
    });
  }

  it('keeps the SDK calm with a pong that has no payload', async () => {
    scene.simulator.faults.add({ on: 'socket', kind: 'pong_payload', payload: null });
    const sdk = await connectSdk(scene.simulator, scene.app, {});
    await pause(300);
    assert.ok((scene.simulator.connections()[0]?.pings.length ?? 0) <= 2);
    sdk.close();
  });

  it('ends the SDK for good at endpoint code 1 with a data object', async () => {
    scene.simulator.faults.add({ on: 'api', api: 'endpoint', kind: 'code', code: 1, times: 1 });
    await assert.rejects(connectSdk(scene.simulator, scene.app, {}), /code=1/);
    assert.equal(scene.simulator.endpointCalls(scene.app.appId).length, 1);
  });

  it('aims at one app only', async () => {
    const other = scene.simulator.addApp();
    scene.simulator.faults.add({ on: 'handshake', kind: 'refuse', status: 403, appId: other.appId });
    await connectRaw(scene.simulator, scene.app);
    await assert.rejects(connectRaw(scene.simulator, other), /HTTP 403/);
  });
});
