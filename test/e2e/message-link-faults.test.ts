/** CARD=link when the daemon is killed between sending and knowing, and when CARD changes under way. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asked, DOCS, titlesTo, told } from '../support/posts.js';
import { newScene, type Scene, type SceneOptions } from '../support/scene.js';
import { ended, eventually, linkOn } from '../support/steps.js';

const WAY = { grant: 'authorization_code', clicks: 'long_connection' } as const;
const BY_LINK: SceneOptions = { way: { ...WAY, card: 'link' } };
const BY_CARD: SceneOptions = { way: { ...WAY, card: 'card' } };
const SEND = { on: 'api', api: 'message.send' } as const;
const ASKS = /asks to act as you/;

describe('what a crash, or a change of the setting, finds under way', { concurrency: 2 }, () => {
  for (const [what, title] of [
    ['the first message', ASKS],
    ['the message of the end', /^Authorized/],
  ] as const) {
    it(`a kill -9 after Feishu has taken ${what}, before we know: it is not sent again`, async (t) => {
      const scene = await newScene(t, BY_LINK);
      const { daemon, openId, sim, user } = scene;
      const skip = title === ASKS ? 0 : 1;
      sim.faults.add({ ...SEND, openId, kind: 'hang', when: 'after', skip, times: 1 });
      const answer = await daemon.call('POST', '/v1/sessions', { open_id: openId, ...DOCS });
      const sessionId = String(answer.body.session_id);
      const first = await told(scene, openId, ASKS);
      const link = linkOn(scene, first.messageId);
      if (title !== ASKS) {
        await eventually(async () => (await scene.session(sessionId))['message_id'] !== null);
        assert.equal(scene.consent({ link, user }), 'ok');
        await told(scene, openId, title);
      }
      assert.equal(daemon.lines.filter(({ event }) => event === 'message.sent').length, skip);
      daemon.signal('SIGKILL');
      await daemon.exited();
      await endLocks(scene);
      await scene.use(await daemon.restart());
      await scene.entrance?.leadTo(scene.daemon);
      await scene.daemon.line('message.sent', (line) => line['session_id'] === sessionId);
      await eventually(async () => (await scene.session(sessionId))['message_id'] === first.messageId);
      if (title === ASKS) assert.equal(scene.consent({ link, user }), 'ok');
      assert.equal((await ended(scene, sessionId)).state, 'completed');
      await told(scene, openId, /^Authorized/);
      assert.equal(titlesTo(scene, openId).length, 2);
    });
  }

  it('a session goes on as it has begun: a card stays a card, messages stay messages, whatever CARD says now', async (t) => {
    const scene = await newScene(t, BY_CARD);
    const byCard = await asked(scene, 'Card');
    await scene.daemon.line('card.sent', (line) => line['session_id'] === byCard.sessionId);
    await restartWith(scene, 'link');
    const byLink = await asked(scene, 'Link');
    assert.equal(byLink.message.kind, 'post');
    assert.equal(scene.consent({ link: byCard.link, user: byCard.person.user }), 'ok');
    await scene.shows(byCard.messageId, 'Authorized');
    await scene.daemon.line('message.sent', (line) => line['session_id'] === byLink.sessionId);
    await restartWith(scene, 'card');
    assert.equal(scene.consent({ link: byLink.link, user: byLink.person.user }), 'ok');
    await told(scene, byLink.person.openId, /^Authorized/);
    assert.equal((await asked(scene, 'Card again')).message.kind, 'card');
    const counts = [byCard, byLink].map(({ person }) => scene.sim.messagesTo(person.openId).length);
    assert.deepEqual(counts, [1, 2]);
  });
});

async function restartWith(scene: Scene, card: 'card' | 'link'): Promise<void> {
  const { daemon } = scene;
  daemon.signal('SIGTERM');
  await daemon.exited();
  await scene.use(await daemon.restart({ CARD: card }));
  await scene.entrance?.leadTo(scene.daemon);
  await scene.daemon.readiness(200);
}

/** As if the dead process's lock on the message were over, and the job lost: the reconciler makes another. */
async function endLocks({ redis }: Scene): Promise<void> {
  const keys = [...(await redis.client.keys('*:lock:*')), ...(await redis.client.keys('authd:{q}:card-update:*'))];
  assert.ok(keys.length > 0);
  await redis.client.del(keys);
}
