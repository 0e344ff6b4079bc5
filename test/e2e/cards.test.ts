/**
 * Cards are sent once whatever Feishu answers, and clicks are understood in every shape Feishu has been seen to send
 * (CONTRACT §4, FAILURES area B).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { linksMade } from '../support/either-grant.js';
import { type Asked, newScene, type Scene } from '../support/scene.js';
import {
  askAndSettle,
  authorize,
  ended,
  eventually,
  linkOn,
  newPerson,
  shown,
  type Trouble,
  titleOf,
} from '../support/steps.js';

const DOCS = { scopes: ['docx:document:readonly'] };

const invalidate = (scene: Scene, { sessionId }: Asked) =>
  scene.daemon.call('POST', `/v1/sessions/${sessionId}/invalidate`);

describe('sends', { concurrency: 3 }, () => {
  for (const [name, trouble] of Object.entries<Trouble>({
    'answered 500 after Feishu has stored it': { kind: 'status', status: 500, when: 'after', times: 2 },
    'cut off after Feishu has stored it': { kind: 'reset', when: 'after', times: 2 },
  })) {
    it(`${name}: one card only, and updates reach it`, async (t) => {
      const scene = await newScene(t);
      const { openId, sim, user } = scene;
      sim.faults.add({ on: 'api', api: 'message.send', ...trouble });
      const asked = await scene.ask(DOCS);
      await eventually(async () => (await scene.session(asked.sessionId))['message_id'] !== null);
      assert.equal((await scene.session(asked.sessionId))['message_id'], asked.messageId);
      scene.consent({ link: await authorize(scene, asked), user });
      await ended(scene, asked.sessionId);
      await scene.shows(asked.messageId, 'Authorized');
      assert.equal(sim.messagesTo(openId).length, 1);
    });
  }

  it('clicked before Feishu has said that it took the card: she gets her link, and there is no second card', async (t) => {
    const scene = await newScene(t);
    const { openId, sim, user } = scene;
    const held = sim.faults.add({ on: 'api', api: 'message.send', kind: 'hold', when: 'after', times: 1 });
    const asked = await scene.ask(DOCS);
    const userCode = await authorize(scene, asked);
    held.release();
    scene.consent({ link: userCode, user });
    assert.equal((await ended(scene, asked.sessionId)).state, 'completed');
    await scene.shows(asked.messageId, 'Authorized');
    assert.equal(sim.messagesTo(openId).length, 1);
  });
});

describe('a click', { concurrency: 4 }, () => {
  it('is understood in every shape, with ids of every kind, and updates go to the real message', async (t) => {
    const scene = await newScene(t);
    const { sim } = scene;
    const shapes: Record<string, (value: object, openId: string, unionId: string) => object> = {
      'the flat form': () => ({ flat: true }),
      'value as text': (value) => ({ value: JSON.stringify(value) }),
      'value as text of text': (value) => ({ value: JSON.stringify(JSON.stringify(value)) }),
      'only an open_id': (_, open_id) => ({ operator: { open_id } }),
      'open_id and union_id': (_, open_id, union_id) => ({ operator: { open_id, union_id } }),
      'all ids': (_, open_id, union_id) => ({ operator: { open_id, union_id, user_id: 'u1' } }),
      'a temporary id beside the context': () => ({ outerMessageId: 'card-action-c-temp-1' }),
      'a temporary id in the context': () => ({ contextMessageId: 'c-temp-1' }),
      'no context at all': () => ({ contextMessageId: null }),
      'no create_time to speak of': () => ({ createTime: 0 }),
      'create_time in milliseconds': () => ({ createTimeUnit: 'ms' }),
      'no event_id': () => ({ eventId: '' }),
    };
    await Promise.all(
      Object.entries(shapes).map(async ([name, shape]) => {
        const person = newPerson(scene, name);
        const asked = await person.ask(DOCS);
        const value = { action: 'authorize', session_id: asked.sessionId };
        const click = await person.click(asked, 'authorize', shape(value, person.openId, person.user.unionId));
        assert.equal(click.errorCode, undefined, `${name}: ${click.reason}`);
        // In the ack or, when so many at once keep the machine busy, right after it.
        await scene.shows(asked.messageId, 'One step left');
        assert.ok(linkOn(scene, asked.messageId));
        await invalidate(scene, asked);
        await scene.shows(asked.messageId, 'Request cancelled');
      }),
    );
    assert.equal(linksMade(scene), Object.keys(shapes).length);
    const patched = new Set(sim.calls.filter(({ api }) => api === 'message.patch').map(({ messageId }) => messageId));
    assert.deepEqual(
      [...patched].filter((messageId) => sim.message(messageId ?? '') === undefined),
      [],
    );
    assert.deepEqual(
      sim.calls.filter(({ api }) => api === 'message.put' || api === 'card.update'),
      [],
    );
  });

  it('that makes no sense, or is not hers to make, is answered and changes nothing', async (t) => {
    const scene = await newScene(t);
    const { daemon, sim, user } = scene;
    const other = newPerson(scene, 'Wang Wei');
    const asked = await askAndSettle(scene, DOCS);
    const { messageId, sessionId } = asked;
    const before = await scene.session(sessionId);
    const value = { action: 'authorize', session_id: sessionId };
    const malformed = 'This button cannot be used, please use the newest card';
    const notYours = 'This card was sent to someone else, nothing to do for you';
    const clicks: [name: string, more: object, toast: string][] = [
      ['no value', { action: { tag: 'button' } }, malformed],
      ['a list', { value: [1, 2] }, malformed],
      ['text', { value: 'authorize' }, malformed],
      ['an unknown action', { value: { ...value, action: 'approve_all' } }, malformed],
      ['an action of the prototype', { value: { ...value, action: 'constructor' } }, malformed],
      ['no session', { value: { action: 'authorize' } }, malformed],
      ['a session id that is none', { value: { ...value, session_id: { $ne: null } } }, malformed],
      ['an endless session id', { value: { ...value, session_id: 'x'.repeat(100_000) } }, malformed],
      ['an action of another version', { value: { ...value, action: 'revoke' } }, malformed],
      ['an operator without open_id', { operator: { union_id: user.unionId } }, malformed],
      ['somebody else', { user: other.user, value }, notYours],
      [
        'somebody else who says she is the user',
        { user: other.user, value: { ...value, open_id: scene.openId } },
        notYours,
      ],
      ['somebody else who declines', { user: other.user, value: { ...value, action: 'decline' } }, notYours],
      ['two hours late', { createTime: Date.now() - 7_200_000 }, 'This click arrived too late, please press again'],
    ];
    for (const [name, more, toast] of clicks) {
      const click = await scene.click(messageId, 'authorize', sessionId, more);
      assert.equal(click.errorCode, undefined, `${name}: ${click.reason}`);
      assert.equal(click.card, undefined, name);
      assert.equal(click.toast?.i18n?.['en_us'], toast, name);
    }
    assert.deepEqual(await scene.session(sessionId), before);
    assert.equal(linksMade(scene), 0);
    assert.equal(sim.message(messageId)?.history.length, 1);
    const audit = await daemon.line('card.clicked', (line) => line['outcome'] === 'not_for_you');
    assert.deepEqual([audit['open_id'], audit['asked_open_id']], [other.openId, scene.openId]);
    assert.ok(!daemon.output().includes('approve_all'), 'values are not logged');
    assert.ok(await authorize(scene, asked));
  });

  it('on a session that is not stored any more turns the card, also after a restart', async (t) => {
    const scene = await newScene(t);
    const { app, redis, sim } = scene;
    const asked = await scene.ask(DOCS);
    await scene.use(await scene.daemon.restart());
    await scene.daemon.readiness(200);
    await redis.client.del(`authd:{${app.appId}}:session:${asked.sessionId}`);
    const click = await scene.click(asked.messageId, 'authorize', asked.sessionId);
    assert.equal(click.errorCode, undefined, click.reason);
    assert.equal(titleOf(click.card), 'This request no longer exists');
    assert.equal(click.toast?.i18n?.['en_us'], 'This request no longer exists');
    assert.equal(shown(scene, asked), 'This request no longer exists');
    const strange = await scene.click(asked.messageId, 'authorize', 'as_0000000000000000_not_ours');
    assert.equal(strange.card, undefined, 'a card of somebody else is left alone');
    assert.equal(strange.toast?.i18n?.['en_us'], 'This request no longer exists');
    assert.equal(sim.messagesTo(scene.openId).length, 1);
  });

  it('is answered in her language, in Chinese where there is no other', async (t) => {
    const scene = await newScene(t);
    const { messageId, sessionId } = await scene.ask(DOCS);
    const decline = async (locale: string) =>
      (await scene.click(messageId, 'decline', sessionId, { locale, createTime: Date.now() - 7_200_000 })).toastText;
    assert.equal(await decline('en_us'), 'This click arrived too late, please press again');
    assert.equal(await decline('zh_cn'), '这次点击到得太晚，请再点一次');
    assert.equal(await decline('th_th'), '这次点击到得太晚，请再点一次');
    const done = await scene.click(messageId, 'decline', sessionId, { locale: 'zh_cn' });
    assert.equal(done.toastText, '已拒绝，没有新增任何授权');
  });
});
