/**
 * Updates of a message: late, limited, refused, hanging, crossing a click. What it shows in the end is the state of its
 * session (CONTRACT §4.6, ARCHITECTURE invariant 2, FAILURES area B).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertShows } from '../support/acks.js';
import { linkIn } from '../support/consents.js';
import { type Asked, newScene, type Scene } from '../support/scene.js';
import {
  askAndSettle,
  authorize,
  ended,
  eventually,
  linkOn,
  newPerson,
  patchesOf,
  shown,
  type Trouble,
  titleOf,
} from '../support/steps.js';

const DOCS = { scopes: ['docx:document:readonly'] };

const invalidate = (scene: Scene, { sessionId }: Asked) =>
  scene.daemon.call('POST', `/v1/sessions/${sessionId}/invalidate`);

describe('updates of a message', { concurrency: 4 }, () => {
  it('one that Feishu applies long after its time-out does not have the last word', async (t) => {
    const scene = await newScene(t);
    const { openId, sim, user } = scene;
    const asked = await scene.ask(DOCS);
    const link = await authorize(scene, asked);
    const before = patchesOf(scene, asked.messageId).length;
    const broken = sim.faults.add({ on: 'api', api: 'user_info', openId, kind: 'status', status: 500 });
    // "Checking" is answered 504 and applied 6 s later, when "Authorized" has long been shown.
    sim.faults.add({ on: 'api', api: 'message.patch', kind: 'late', ms: 6_000, answer: 504, times: 1 });
    scene.consent({ link, user });
    await sim.until(() => patchesOf(scene, asked.messageId).length > before, 20_000, 'the update that is late');
    broken.clear();
    assert.equal((await ended(scene, asked.sessionId)).state, 'completed');
    await scene.shows(asked.messageId, 'Authorized');
    await sim.until(() => shown(scene, asked) === 'Checking your authorization', 20_000, 'the late update');
    await sim.until(() => shown(scene, asked).startsWith('Authorized'), 20_000, 'the end once more');
    assert.ok(patchesOf(scene, asked.messageId).length <= before + 5);
  });

  for (const [name, trouble] of Object.entries<Trouble>({
    'is applied long after its time-out': { kind: 'late', ms: 6_000, answer: 504 },
    'is under way for long': { kind: 'hold' },
  })) {
    it(`one that ${name} does not hide that she has started again on the same message`, async (t) => {
      const scene = await newScene(t);
      const { sim, user } = scene;
      const asked = await askAndSettle(scene, DOCS);
      const userCode = await authorize(scene, asked);
      const before = patchesOf(scene, asked.messageId).length;
      const late = sim.faults.add({ on: 'api', api: 'message.patch', times: 1, ...trouble });
      scene.deny({ link: userCode, user });
      await sim.until(() => patchesOf(scene, asked.messageId).length > before, 20_000, 'the update with the refusal');
      const old = await scene.click(asked.messageId, 'authorize', asked.sessionId);
      assert.match(titleOf(old.card), /^You declined/);
      const restart = await scene.click(asked.messageId, 'restart', asked.sessionId);
      assert.equal(restart.errorCode, undefined, restart.reason);
      late.release();
      await sim.until(() => shown(scene, asked).startsWith('You declined'), 20_000, 'the late update');
      await sim.until(() => shown(scene, asked).startsWith('One step left'), 20_000, 'the new link again');
      const next = String((await scene.session(asked.sessionId))['next_session_id']);
      scene.consent({ link: linkOn(scene, asked.messageId), user });
      assert.equal((await ended(scene, next)).state, 'completed');
      await scene.shows(asked.messageId, 'Authorized');
    });
  }

  it('meets rate limits of every kind with few calls, and the end is shown all the same', async (t) => {
    const scene = await newScene(t);
    const { sim, user } = scene;
    const asked = await scene.ask(DOCS);
    const userCode = await authorize(scene, asked);
    const limits: Trouble[] = [
      { kind: 'code', code: 230020 },
      { kind: 'code', code: 99991400, resetSeconds: 1 },
      { kind: 'status', status: 429 },
      { kind: 'code', code: 11232 },
    ];
    const before = patchesOf(scene, asked.messageId).length;
    for (const limit of limits) sim.faults.add({ on: 'api', api: 'message.patch', times: 1, ...limit });
    scene.consent({ link: userCode, user });
    await ended(scene, asked.sessionId);
    await scene.shows(asked.messageId, 'Authorized');
    assert.equal(patchesOf(scene, asked.messageId).length, before + limits.length + 1);
  });

  it('stop for good when the message is recalled, deleted or too old; the session goes on', async (t) => {
    const scene = await newScene(t);
    const { daemon, sim } = scene;
    const codes = [230011, 230031, 230110, 231003];
    await Promise.all(
      codes.map(async (code) => {
        const person = newPerson(scene, String(code));
        const asked = await person.ask(DOCS);
        const first = await authorize(scene, asked, person);
        const before = patchesOf(scene, asked.messageId).length;
        sim.faults.add({ on: 'api', api: 'message.patch', messageId: asked.messageId, kind: 'code', code });
        const other = newPerson(scene, 'other');
        scene.consent({ link: first, user: other.user });
        await daemon.line('card.gone', (line) => line['session_id'] === asked.sessionId);
        // No update shows it to her: on a busy machine she has to click until an ack does.
        const second = await eventually(async () => {
          const click = await person.click(asked, 'authorize');
          assert.equal(click.errorCode, undefined, click.reason);
          const link = linkIn(sim, click.card);
          return link === first ? undefined : link;
        });
        scene.consent({ link: second, user: person.user });
        assert.equal((await ended(scene, asked.sessionId)).state, 'completed', String(code));
        assert.equal((await daemon.call('GET', `/v1/users/${person.openId}/token`)).status, 200);
        const updates = patchesOf(scene, asked.messageId).length - before;
        assert.ok(updates <= 2, `${updates} updates`);
      }),
    );
  });

  it('that hang for ten seconds and longer stop neither the daemon nor anybody else', async (t) => {
    const scene = await newScene(t);
    const { daemon, sim, user } = scene;
    const asked = await scene.ask(DOCS);
    const { messageId } = asked;
    const link = await authorize(scene, asked);
    sim.faults.add({ on: 'api', api: 'message.patch', messageId, kind: 'hang', times: 1 });
    sim.faults.add({ on: 'api', api: 'message.patch', messageId, kind: 'reset', times: 2 });
    scene.consent({ link, user });
    assert.equal((await ended(scene, asked.sessionId)).state, 'completed');
    const quick = newPerson(scene, 'quick');
    const theirs = await quick.ask(DOCS);
    scene.consent({ link: await authorize(scene, theirs, quick), user: quick.user });
    await scene.shows(theirs.messageId, 'Authorized');
    assert.notEqual(shown(scene, asked), 'Authorized: Docs Bot');
    await scene.shows(messageId, 'Authorized', 25_000);
    assert.ok(!daemon.output().includes('unhandledRejection'));
    assert.equal((await daemon.call('GET', '/healthz')).status, 200);
  });

  it('twenty at once, when the tenant token has died: all arrive, one new token is fetched', async (t) => {
    const scene = await newScene(t, { env: { CARD_LIMIT_PER_USER_PER_HOUR: '100' } });
    const { app, sim } = scene;
    const people = Array.from({ length: 20 }, (_, i) => newPerson(scene, `person ${i}`));
    const cards = await Promise.all(people.map((person) => person.ask(DOCS)));
    const fetched = (): number => sim.calls.filter(({ api }) => api === 'tenant_access_token').length;
    const before = fetched();
    sim.revokeTenantTokens(app.appId);
    await Promise.all(cards.map((asked) => invalidate(scene, asked)));
    for (const { messageId } of cards) await scene.shows(messageId, 'Request cancelled');
    assert.equal(fetched(), before + 1);
  });
});

describe('an update and an ack that cross', { concurrency: 4 }, () => {
  it('no update leaves before the ack of a click in hand', async (t) => {
    const scene = await newScene(t);
    const { sim, user } = scene;
    const acks: number[] = [];
    sim.on('click.settled', ({ at }) => acks.push(at));
    const asked = await scene.ask(DOCS);
    const first = await scene.click(asked.messageId, 'authorize', asked.sessionId);
    await assertShows(scene, asked.messageId, first, '"action":"agreed"');
    sim.faults.add({ on: 'api', api: 'user_info', kind: 'delay', ms: 250, times: 1 });
    scene.consent({ link: linkOn(scene, asked.messageId), user });
    const click = await scene.click(asked.messageId, 'agreed', asked.sessionId);
    await assertShows(scene, asked.messageId, click, 'Authorized');
    await eventually(async () => (await updatesLeft(scene, asked)) === 0);
    for (const { at } of patchesOf(scene, asked.messageId)) assert.ok(acks.some((ack) => ack <= at));
    assert.ok(!sim.message(asked.messageId)?.history.some(({ source }) => source === 'revert'));
    assert.match(shown(scene, asked), /^Authorized/);
  });

  it('an update that is under way when she clicks ends with the state of the session', async (t) => {
    const scene = await newScene(t);
    const { openId, sim, user } = scene;
    const asked = await scene.ask(DOCS);
    const link = await authorize(scene, asked);
    sim.faults.add({ on: 'api', api: 'user_info', openId, kind: 'status', status: 500 });
    const held = sim.faults.add({ on: 'api', api: 'message.patch', kind: 'hold', times: 1 });
    const underWay = sim.waitFor(
      ({ type, data }) => type === 'call.arrived' && data['api'] === 'message.patch',
      10_000,
    );
    scene.consent({ link, user });
    await underWay;
    const decline = await scene.click(asked.messageId, 'decline', asked.sessionId);
    assert.match(titleOf(decline.card), /^You declined/);
    held.release();
    await sim.until(() => shown(scene, asked).startsWith('Checking'), 20_000, 'the update that crossed the click');
    await sim.until(() => shown(scene, asked).startsWith('You declined'), 20_000, 'the end once more');
  });
});

/** Sessions that still have to show something. */
const updatesLeft = async (scene: Scene, { sessionId }: Asked): Promise<number> =>
  (await scene.redis.client.zscore(`authd:{${scene.app.appId}}:open`, sessionId)) === null ? 0 : 1;
