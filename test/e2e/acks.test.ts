/**
 * Every click is answered in time with something a client accepts (CONTRACT §4.3, §4.5), whatever Redis, Feishu or the
 * daemon's own life do at that moment, and however often it arrives. FAILURES area B.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClickResult } from '../simulator/chat/clicks.js';
import { assertAcked, assertLinkOrComing, assertQuick, clickOf } from '../support/acks.js';
import { linksIn } from '../support/consents.js';
import { allShow, crowd, eventually } from '../support/crowd.js';
import { linksMade } from '../support/either-grant.js';
import { authorizeByCard } from '../support/person.js';
import { newScene, type Scene } from '../support/scene.js';

/** When each call to Feishu was sent, by the daemon's own clock and by API, in order. */
function departures(scene: Scene): Map<string, number[]> {
  const byApi = new Map<string, number[]>();
  for (const line of scene.daemon.lines) {
    if (line.event !== 'feishu.call') continue;
    const times = byApi.get(String(line['api'])) ?? [];
    times.push(Date.parse(String(line['time'])) - Number(line['ms']));
    byApi.set(String(line['api']), times);
  }
  for (const times of byApi.values()) times.sort((a, b) => a - b);
  return byApi;
}

/** The most of these ordered times in any window. */
function mostWithin(windowMs: number, times: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (const [i, time] of times.entries()) {
    while (time - (times[first] ?? time) >= windowMs) first += 1;
    most = Math.max(most, i - first + 1);
  }
  return most;
}

describe('a click is answered in time', { concurrency: 2 }, () => {
  it('while Redis is frozen, with a toast that promises nothing; and works when Redis is back', async (t) => {
    const scene = await newScene(t);
    const asked = await scene.ask();
    scene.redis.freeze();
    for (const action of ['authorize', 'decline', 'agreed']) {
      const click = await scene.click(asked.messageId, action, asked.sessionId);
      assertAcked(click);
      assert.match(click.toastText ?? '', /Not possible right now|处理不了/);
      assert.equal(click.card, undefined);
    }
    assertQuick(scene);
    scene.redis.thaw();
    await scene.daemon.readiness(200);
    // What the frozen Redis took late was harmless: she declined, so the session has ended, or it is as before.
    const session = await scene.session(asked.sessionId);
    assert.ok(['pending', 'authorizing', 'rejected'].includes(session.state), session.state);
    await authorizeByCard(scene, asked.messageId);
  });

  it('while Redis is dead, with a toast; and works when Redis is back', async (t) => {
    const scene = await newScene(t);
    const asked = await scene.ask();
    await scene.redis.kill();
    for (const action of ['authorize', 'decline']) {
      const click = await scene.click(asked.messageId, action, asked.sessionId);
      assertAcked(click);
      assert.match(click.toastText ?? '', /Not possible right now|处理不了/);
    }
    assertQuick(scene);
    await scene.redis.start();
    await scene.daemon.readiness(200);
    await authorizeByCard(scene, asked.messageId);
  });

  it('while every call to Feishu takes 10 s, for one and for fifty at once; all get there when Feishu is well', async (t) => {
    const scene = await newScene(t);
    const people = await crowd(scene, 51);
    const slow = scene.sim.faults.add({ on: 'api', api: '*', kind: 'delay', ms: 10_000 });
    const [one, ...fifty] = people;
    assert.ok(one);
    assertAcked(await clickOf(scene, one, 'authorize'));
    for (const click of await Promise.all(fifty.map((person) => clickOf(scene, person, 'authorize')))) {
      assertAcked(click);
    }
    slow.clear();
    await allShow(scene, people, '"agreed"', 40_000);
    assertQuick(scene);
    assert.equal(scene.sim.overLimit, 0);
  });

  it('when 500 people click at once; every one of them gets a link, and Feishu no call too many', async (t) => {
    const scene = await newScene(t, { env: { LOG_LEVEL: 'debug' } });
    const people = await crowd(scene, 500);
    const clicks = await Promise.all(people.map((person) => clickOf(scene, person, 'authorize')));
    for (const click of clicks) assertAcked(click);
    await allShow(scene, people, '"agreed"', 60_000);
    // Every card shows one. (By a code, a daemon whose Redis answered late has not said so of every link.)
    assert.ok(linksMade(scene) <= 500, `${linksMade(scene)} links for 500 people`);
    for (const [api, times] of departures(scene)) {
      assert.ok(mostWithin(1_000, times) <= 50, `${mostWithin(1_000, times)} calls of ${api} in a second`);
    }
    assert.equal(scene.sim.overLimit, 0);
  });
});

describe('a click has one effect', { concurrency: 2 }, () => {
  it('when she presses again at once, and while the link is being made', async (t) => {
    const scene = await newScene(t, { simulator: { latencyMs: { device_authorization: 100 } } });
    const [person] = await crowd(scene, 1);
    assert.ok(person);
    const presses: Promise<ClickResult>[] = [];
    for (const afterMs of [5, 60, 0]) {
      presses.push(clickOf(scene, person, 'authorize'));
      await new Promise((resolve) => setTimeout(resolve, afterMs));
    }
    for (const click of await Promise.all(presses)) {
      assertAcked(click);
      assertLinkOrComing(click);
    }
    await scene.shows(person.messageId, '"action":"agreed"');
    await authorizeByCard({ ...scene, user: person.user }, person.messageId);
    assert.equal(linksMade(scene), 1);
  });

  it('none for anybody but the user asked', async (t) => {
    const scene = await newScene(t);
    const asked = await scene.ask();
    const stranger = scene.sim.addUser({ name: 'Stranger' });
    const session = () => scene.session(asked.sessionId);
    await eventually(
      async () => (await session())['message_id'] === asked.messageId,
      20_000,
      'the message to be known',
    );
    const before = await session();
    for (const action of ['authorize', 'agreed', 'decline', 'restart', 'revoke', 'nonsense']) {
      const click = await scene.click(asked.messageId, action, asked.sessionId, { user: stranger });
      assertAcked(click);
      assert.equal(click.card, undefined);
      assert.ok((click.toastText ?? '').length > 0, action);
    }
    assert.deepEqual(await session(), before);
    assert.equal(linksMade(scene), 0);
  });

  it('when the identical callback comes again after a restart', async (t) => {
    const scene = await newScene(t);
    const asked = await scene.ask();
    const frame = { frameMessageId: 'the-one-frame', eventId: 'the-one-event' };
    const first = await scene.click(asked.messageId, 'authorize', asked.sessionId, frame);
    assertAcked(first);
    scene.daemon.signal('SIGTERM');
    assert.equal(await scene.daemon.exited(), 0);
    await scene.use(await scene.daemon.restart());
    await scene.daemon.readiness(200);
    const again = await scene.click(asked.messageId, 'authorize', asked.sessionId, frame);
    assertAcked(again);
    assert.equal(linksMade(scene), 1);
    assert.deepEqual(linksIn(scene.sim, again.card), [scene.link()]);
    await authorizeByCard(scene, asked.messageId);
  });

  it('when the daemon is killed between the click and its ack', async (t) => {
    const scene = await newScene(t);
    const people = await crowd(scene, 6);
    for (const [round, person] of people.entries()) {
      const { messageId, sessionId, user } = person;
      const frame = { user, eventId: `event-${round}` };
      const before = linksMade(scene);
      void scene.click(messageId, 'authorize', sessionId, frame);
      await new Promise((resolve) => setTimeout(resolve, round * 8));
      scene.daemon.signal('SIGKILL');
      await scene.daemon.exited();
      await scene.use(await scene.daemon.restart());
      await scene.daemon.readiness(200);
      assertAcked(await scene.click(messageId, 'authorize', sessionId, frame));
      await allShow(scene, [person], '"agreed"', 15_000);
      // Of two links, one made by the killed daemon and one by its successor, only one was stored and shown.
      const made = linksMade(scene) - before;
      assert.ok(made <= 2, `${made} links`);
      assert.equal(linksIn(scene.sim, scene.sim.message(messageId)?.content).length, 1);
    }
    await Promise.all(people.map(({ messageId, user }) => authorizeByCard({ ...scene, user }, messageId)));
    for (const { user } of people) {
      assert.equal(scene.sim.messagesTo(scene.sim.openId(user, scene.app.appId)).length, 1);
    }
  });
});
