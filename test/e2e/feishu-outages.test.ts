/**
 * Feishu hangs, refuses, drops or sends old things while users are being authorized: the long connection does not
 * depend on the REST side, workers that wait for Feishu are not taken for dead ones, cards catch up, no promise goes
 * unwatched. FAILURES A-drop-restarts-whole-process, A-tenant-token-timeout-kills-channel, A-old-events-redelivered,
 * B-patch-timeout-crashes-process, B-enrichment-failure-drops-click, B-200340-not-subscribed.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allShow, crowd, eventually } from '../support/crowd.js';
import { linksMade } from '../support/either-grant.js';
import { authorizeByCard } from '../support/person.js';
import { newScene } from '../support/scene.js';
import { linkOn } from '../support/steps.js';

describe('while Feishu is in trouble', { concurrency: 4 }, () => {
  it('updates of a card that are held and then reset: polling and storing go on, the card gets there', async (t) => {
    const scene = await newScene(t);
    const { daemon, sim } = scene;
    const asked = await scene.ask();
    await scene.click(asked.messageId, 'authorize', asked.sessionId);
    await scene.shows(asked.messageId, '"agreed"');
    const hang = sim.faults.add({ on: 'api', api: 'message.patch', kind: 'hang', times: 1 });
    const reset = sim.faults.add({ on: 'api', api: 'message.patch', kind: 'reset', times: 1 });
    assert.equal(scene.consent({ link: scene.link(), user: scene.user }), 'ok');
    const ended = await daemon.call('GET', `/v1/sessions/${asked.sessionId}?wait_seconds=20`);
    assert.equal(ended.body.state, 'completed');
    assert.equal((await daemon.call('GET', `/v1/users/${scene.openId}/token`)).status, 200);
    await scene.shows(asked.messageId, 'Authorized', 40_000);
    assert.equal(hang.fired + reset.fired, 2);
    const failed = await daemon.line('card.update_failed');
    assert.equal(failed['level'], 'warn');
  });

  it('forty calls for tokens that hang are no reason to replace a worker or to be unready', async (t) => {
    const scene = await newScene(t);
    const { daemon, sim } = scene;
    const people = await crowd(scene, 40);
    await Promise.all(
      people.map(({ messageId, sessionId, user }) => scene.click(messageId, 'authorize', sessionId, { user })),
    );
    await allShow(scene, people, '"agreed"', 15_000);
    const hang = sim.faults.add({ on: 'api', api: 'token', kind: 'hang' });
    for (const { messageId, user } of people) scene.consent({ link: linkOn(scene, messageId), user });
    await eventually(() => hang.fired >= 60, 30_000, 'every call to hang, and to hang again');
    const { status, text } = await daemon.call('GET', '/readyz');
    assert.equal(status, 200, text);
    hang.clear();
    await allShow(scene, people, 'Authorized', 40_000);
    assert.ok(!daemon.lines.some(({ event }) => event === 'queue.stalled'));
    assert.equal(sim.accessTokens().length, 40);
    assert.equal(sim.overLimit, 0);
  });

  it('lookups that only adorn a card may fail: the card names the app by its id', async (t) => {
    const scene = await newScene(t);
    scene.daemon.signal('SIGTERM');
    assert.equal(await scene.daemon.exited(), 0);
    for (const api of ['app_info', 'message.get'] as const) {
      scene.sim.faults.add({ on: 'api', api, kind: 'code', code: 99991672 });
    }
    await scene.use(await scene.daemon.restart());
    await scene.daemon.readiness(200);
    const asked = await scene.ask();
    assert.match(JSON.stringify(asked.message.content), new RegExp(scene.app.appId));
    await authorizeByCard(scene, asked.messageId);
  });

  it('five cards that expire without a click tell the operator where clicks are switched on', async (t) => {
    const scene = await newScene(t, { env: { AUTH_SESSION_TTL: '10' } });
    scene.sim.changeApp(scene.app.appId, { callbacksConfigured: false });
    const people = await crowd(scene, 5);
    const [first] = people;
    assert.ok(first);
    const lost = await scene.click(first.messageId, 'authorize', first.sessionId, { user: first.user });
    assert.equal(lost.errorCode, 200340, 'the daemon cannot see this click');
    const line = await scene.daemon.line('callbacks.silent', () => true, 20_000);
    assert.equal(line['level'], 'warn');
    assert.equal(line['app_id'], scene.app.appId);
    assert.match(String(line['msg']), /card\.action\.trigger/);
    await allShow(scene, people, 'xpired', 10_000);
  });

  it('events that come again or hours late have no effect beyond one line', async (t) => {
    const scene = await newScene(t);
    const { app, sim } = scene;
    const event = { sender: { sender_id: { open_id: scene.openId } }, message: { message_id: 'om_other' } };
    const body = sim.envelope(app.appId, 'im.message.receive_v1', event);
    const acked = async (envelope: typeof body): Promise<void> => {
      const arrived = sim.waitFor('event.acked');
      sim.pushEvent(app.appId, envelope);
      await arrived;
    };
    await acked(body);
    await acked(body);
    const before = scene.daemon;
    assert.equal(before.lines.filter(({ event: name }) => name === 'ws.unhandled_event').length, 1);
    before.signal('SIGTERM');
    assert.equal(await before.exited(), 0);
    await scene.use(await before.restart());
    await scene.daemon.readiness(200);
    await acked(body);
    const aged = structuredClone(body) as { header: { create_time: string } };
    aged.header.create_time = String(Date.now() - 6 * 3_600_000);
    await acked(aged as unknown as typeof body);
    assert.equal(scene.daemon.lines.filter(({ event: name }) => name === 'ws.unhandled_event').length, 1);
    assert.equal(sim.messages().length, 0);
    assert.equal(linksMade(scene), 0);
  });
});
