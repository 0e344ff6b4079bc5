/**
 * The daemon without a long connection (CARD_CALLBACK=http): the same sessions, cards and tokens, with clicks and events
 * by HTTP from a Feishu that signs and encrypts them. Issue 5 item 4, FEISHU.md §3.
 */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ClickResult } from '../simulator/chat/clicks.js';
import { assertShows, hasLink } from '../support/acks.js';
import { statusOf } from '../support/grants.js';
import { authorizeByCard } from '../support/person.js';
import { newScene, type Scene } from '../support/scene.js';

const newHttpScene = (t: TestContext): Promise<Scene> => newScene(t, { way: { grant: 'device_code', clicks: 'http' } });

function assertAnswered(click: ClickResult): void {
  assert.deepEqual([click.errorCode, click.ackCode], [undefined, 200], JSON.stringify(click.ackBody));
}

describe('clicks and events by HTTP', { concurrency: 3 }, () => {
  it('bring a user from her card to her token and back, without a long connection', async (t) => {
    const scene = await newHttpScene(t);
    const { app, daemon, sim, user } = scene;
    for (const verified of [sim.verifyCallbackUrl, sim.verifyEventUrl]) {
      const answers = [await verified(app.appId), await verified(app.appId), await verified(app.appId)];
      for (const { ok, reason } of answers) assert.ok(ok, reason);
      assert.ok(Math.min(...answers.map(({ tookMs }) => tookMs)) < 1_000, 'the console waits for a second');
    }
    const { messageId, sessionId } = await scene.ask();
    const click = await scene.click(messageId, 'authorize', sessionId);
    assertAnswered(click);
    await assertShows(scene, messageId, click, '"action":"agreed"');
    assert.match(JSON.stringify(sim.message(messageId)?.content), new RegExp(scene.link()));
    await authorizeByCard(scene, messageId);
    assert.equal(await statusOf(scene, scene.openId), 'active');

    const { delivered } = await sim.revokeGrant(app.appId, { user }).done;
    assert.equal(delivered, true);
    await daemon.line('grant.suspected');

    assert.ok(click.request);
    const http = { replayOf: click.request };
    let replay = await scene.click(messageId, 'authorize', sessionId, { http });
    // Who has waited 150 ms for Redis takes a request unchecked: on a busy machine it is tried again.
    for (let more = 2; more > 0 && replay.ackCode === 200; more -= 1) {
      replay = await scene.click(messageId, 'authorize', sessionId, { http });
    }
    assert.equal(replay.ackCode, 401);
    await daemon.line('callback.refused', (line) => line['why'] === 'replayed');
    const forged = await scene.click(messageId, 'authorize', sessionId, { http: { signature: '0'.repeat(64) } });
    assert.equal(forged.ackCode, 401);

    assert.deepEqual(sim.endpointCalls(app.appId), []);
    assert.doesNotMatch((await daemon.call('GET', '/metrics')).text, /^lark_service_ws_connected\{/m);
    const { FEISHU_ENCRYPT_KEY = '', FEISHU_VERIFICATION_TOKEN = '' } = scene.entrance?.env ?? {};
    for (const secret of [FEISHU_ENCRYPT_KEY, FEISHU_VERIFICATION_TOKEN]) {
      assert.ok(secret !== '' && !daemon.output().includes(secret));
    }
  });

  it('are answered by a process with the role api; a gateway without an app to connect is ready', async (t) => {
    const scene = await newHttpScene(t);
    scene.daemon.signal('SIGTERM');
    assert.equal(await scene.daemon.exited(), 0);
    const [api, gateway, worker] = await Promise.all(
      ['api', 'gateway', 'worker'].map((ROLES) => scene.another({ ROLES })),
    );
    assert.ok(api && gateway && worker);
    await Promise.all([api, gateway, worker].map((daemon) => daemon.readiness(200)));
    await scene.use(api);
    const { messageId } = await scene.ask();
    await authorizeByCard(scene, messageId);
    assert.equal(gateway.lines.filter(({ event }) => event?.startsWith('ws.')).length, 0);
  });

  it('in hand at SIGTERM are answered with what they asked for; new ones with a toast; exit 0', async (t) => {
    const scene = await newHttpScene(t);
    const { daemon, sim } = scene;
    const { messageId, sessionId } = await scene.ask();
    const hold = sim.faults.add({ on: 'api', api: 'device_authorization', kind: 'hold' });
    const inHand = scene.click(messageId, 'authorize', sessionId);
    await sim.until(
      () => sim.calls.some(({ api }) => api === 'device_authorization'),
      5_000,
      'the link to be asked for',
    );
    daemon.signal('SIGTERM');
    await daemon.line('daemon.stopping');
    const late = await scene.click(messageId, 'decline', sessionId);
    assertAnswered(late);
    assert.match(late.toastText ?? '', /restarting|正在重启/);
    hold.clear();
    const click = await inHand;
    assertAnswered(click);
    const shown = await hasLink(scene, click);
    assert.equal(await daemon.exited(), 0);
    if (shown) return;
    await scene.use(await daemon.restart());
    await scene.shows(messageId, '"agreed"');
  });

  it('get a toast while Redis is away, and work again when it is back', async (t) => {
    const scene = await newHttpScene(t);
    const { messageId, sessionId } = await scene.ask();
    scene.redis.freeze();
    const click = await scene.click(messageId, 'authorize', sessionId);
    scene.redis.thaw();
    assertAnswered(click);
    assert.ok((click.toastText ?? '') !== '' && click.tookMs < 3_000, `${click.toastText} after ${click.tookMs} ms`);
    await authorizeByCard(scene, messageId);
  });
});
