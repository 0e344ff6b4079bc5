/**
 * Clicks that are in hand because Feishu takes its time to make a device code (a link of the authorization code grant
 * needs no answer of Feishu's): each is answered in time, whatever happens meanwhile (CONTRACT §4.3, §4.5).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertAcked, assertQuick, clickOf, hasLink, textOf } from '../support/acks.js';
import { allShow, cardText, crowd, type Member } from '../support/crowd.js';
import { authorizeByCard } from '../support/person.js';
import { newScene, type Scene } from '../support/scene.js';
import { eventually } from '../support/steps.js';
import { QUICK_STOP, stopInTheMiddle } from '../support/stopping.js';

/** A click has been judged: its link is in the making. */
const judged = ({ sim }: Scene): Promise<unknown> =>
  sim.until(() => sim.calls.some(({ api }) => api === 'device_authorization'), 20_000, 'the link to be asked for');

/** Every click has changed its session. */
const allJudged = ({ app, redis }: Scene, people: readonly Member[]): Promise<unknown> =>
  eventually(async () => {
    const record = (id: string): string => `authd:{${app.appId}}:session:${id}`;
    const states = await Promise.all(people.map(({ sessionId }) => redis.client.hget(record(sessionId), 'state')));
    return !states.includes('pending');
  });

describe('a click is answered in time', { concurrency: 2 }, () => {
  it('while Redis is dead, also for the click that is in hand at its death', async (t) => {
    const scene = await newScene(t);
    const asked = await scene.ask();
    const hold = scene.sim.faults.add({ on: 'api', api: 'device_authorization', kind: 'hold' });
    const inHand = scene.click(asked.messageId, 'authorize', asked.sessionId);
    await judged(scene);
    await scene.redis.kill();
    assertAcked(await inHand);
    for (const action of ['authorize', 'decline']) {
      const click = await scene.click(asked.messageId, action, asked.sessionId);
      assertAcked(click);
      assert.match(click.toastText ?? '', /Not possible right now|处理不了/);
    }
    assertQuick(scene);
    hold.clear();
    await scene.redis.start();
    await scene.daemon.readiness(200);
    await authorizeByCard(scene, asked.messageId);
  });

  it('while OAuth hangs: a toast, Decline still works, and the card follows when it is healed', async (t) => {
    const scene = await newScene(t);
    const [first, second] = await crowd(scene, 2);
    assert.ok(first && second);
    const hang = scene.sim.faults.add({ on: 'api', api: 'device_authorization', kind: 'hang' });
    const toasts: string[] = [];
    for (const person of [first, second, first]) {
      const click = await clickOf(scene, person, 'authorize');
      assertAcked(click);
      toasts.push(click.toastText ?? '');
    }
    // On a machine too busy to judge a click in time, it is the other one.
    for (const toast of toasts) assert.match(toast, /Preparing the link|正在生成|Not possible right now|处理不了/);
    assert.match(toasts.join(), /Preparing the link|正在生成/);
    const declined = await clickOf(scene, second, 'decline');
    assertAcked(declined);
    assert.match(textOf(declined.card), /拒绝|eclined/);
    assert.equal((await scene.session(second.sessionId)).state, 'rejected');
    assertQuick(scene);
    hang.clear();
    await scene.sim.until(() => scene.sim.deviceCodes().length === 1, 20_000, 'a device code');
    await scene.shows(first.messageId, scene.link());
    assert.equal(scene.sim.deviceCodes().length, 1, 'no link for her who declined');
    assert.match(cardText(scene, second), /eclined/);
  });
});

describe('clicks that the end of the daemon meets', { concurrency: 2 }, () => {
  it('SIGTERM while Feishu hangs: exit 1 in time, and another process makes the links', async (t) => {
    const scene = await newScene(t, { env: QUICK_STOP });
    const hang = (): void => {
      scene.sim.faults.add({ on: 'api', api: '*', kind: 'hang' });
    };
    await stopInTheMiddle(scene, { before: hang, during: () => undefined });
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`in hand at ${signal} are answered with what they asked for; new ones with a toast; exit 0`, async (t) => {
      const scene = await newScene(t);
      const [first, second] = await crowd(scene, 2);
      assert.ok(first && second);
      const hold = scene.sim.faults.add({ on: 'api', api: 'device_authorization', kind: 'hold' });
      const inHand = clickOf(scene, first, 'authorize');
      await judged(scene);
      scene.daemon.signal(signal);
      await scene.daemon.line('daemon.stopping');
      const late = await clickOf(scene, second, 'authorize');
      assertAcked(late);
      assert.match(late.toastText ?? '', /restarting|正在重启/);
      hold.clear();
      const click = await inHand;
      assertAcked(click);
      const shown = await hasLink(scene, click);
      assert.equal(await scene.daemon.exited(), 0);
      await scene.sim.until(() => scene.sim.connections().length === 0, 20_000, 'the connection to be closed');
      if (shown) return;
      await scene.use(await scene.daemon.restart());
      await scene.shows(first.messageId, '"agreed"');
    });
  }

  it('fifty of them with ten cards on their way at SIGINT: all answered, nothing lost', async (t) => {
    const scene = await newScene(t);
    const people = await crowd(scene, 60);
    scene.sim.faults.add({ on: 'api', api: '*', kind: 'delay', ms: 600 });
    const updates = people.slice(50).map((person) => clickOf(scene, person, 'decline'));
    const clicks = people.slice(0, 50).map((person) => clickOf(scene, person, 'authorize'));
    await allJudged(scene, people);
    scene.daemon.signal('SIGINT');
    for (const click of await Promise.all([...updates, ...clicks])) assertAcked(click);
    assert.equal(await scene.daemon.exited(), 0);
    scene.sim.faults.clear();
    await scene.use(await scene.daemon.restart());
    await scene.daemon.readiness(200);
    await allShow(scene, people.slice(0, 50), '"agreed"', 30_000);
    await allShow(scene, people.slice(50), 'eclined', 30_000);
  });
});
