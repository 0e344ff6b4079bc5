/**
 * The operator changes what links are made of while people have them in their chats: a redirect URI that was wrong, or
 * the grant itself. Nobody is left with a link that leads nowhere.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { linkIn } from '../support/consents.js';
import { type Asked, newScene, type Scene } from '../support/scene.js';
import { authorize, ended, newPerson } from '../support/steps.js';

const DOCS = { scopes: ['docx:document:readonly'] };

const linkOf = (scene: Scene, { messageId }: Asked) => linkIn(scene.sim, scene.sim.message(messageId)?.content) ?? '';

const restart = async (scene: Scene, env: Record<string, string>): Promise<void> => {
  scene.daemon.signal('SIGTERM');
  await scene.daemon.exited();
  await scene.use(await scene.daemon.restart(env));
  await scene.daemon.readiness(200);
};

describe('links of former settings', { concurrency: 3 }, () => {
  it('are replaced on every open card', async (t) => {
    const scene = await newScene(t, { way: { grant: 'authorization_code', clicks: 'long_connection' } });
    const { app, entrance, sim } = scene;
    const [fresh, pressed, finished] = ['fresh', 'pressed', 'finished'].map((name) => newPerson(scene, name));
    assert.ok(entrance && fresh && pressed && finished);
    const one = await fresh.ask(DOCS);
    const two = await pressed.ask(DOCS);
    await authorize(scene, two, pressed);
    const three = await finished.ask(DOCS);
    await finished.click(three, 'decline');
    await scene.shows(three.messageId, 'You declined');
    const redirectUri = entrance.redirectUri.replace('/callback', '/back');
    sim.changeApp(app.appId, { redirectUris: [redirectUri] });
    await restart(scene, { OAUTH_REDIRECT_URI: redirectUri });
    for (const [person, asked] of [
      [fresh, one],
      [pressed, two],
    ] as const) {
      await scene.shows(asked.messageId, encodeURIComponent(encodeURIComponent(redirectUri)));
      assert.equal(scene.consent({ link: linkOf(scene, asked), user: person.user }), 'ok');
      assert.equal((await ended(scene, asked.sessionId)).state, 'completed');
      assert.equal(sim.messagesTo(person.openId).length, 1);
    }
    assert.equal(linkOf(scene, three), '', 'what has ended stays as it is');
  });

  it('are said once more where users are asked by messages', async (t) => {
    const scene = await newScene(t, {
      way: { grant: 'authorization_code', clicks: 'long_connection', card: 'link' },
    });
    const { app, entrance, openId, sim, user } = scene;
    assert.ok(entrance);
    const asked = await scene.ask(DOCS);
    const redirectUri = entrance.redirectUri.replace('/callback', '/back');
    sim.changeApp(app.appId, { redirectUris: [redirectUri] });
    await restart(scene, { OAUTH_REDIRECT_URI: redirectUri });
    await sim.until(() => sim.messagesTo(openId).length === 2);
    assert.equal(scene.consent({ link: scene.link(), user }), 'ok');
    assert.equal((await ended(scene, asked.sessionId)).state, 'completed');
    await restart(scene, { OAUTH_REDIRECT_URI: redirectUri });
    await sim.until(() => sim.messagesTo(openId).length === 3);
  });

  it('of a grant that is not used any more give way to one of the new grant', async (t) => {
    const scene = await newScene(t, { way: { grant: 'authorization_code', clicks: 'long_connection' } });
    const person = newPerson(scene, 'Wang Fang');
    const asked = await person.ask(DOCS);
    await authorize(scene, asked, person);
    await restart(scene, { AUTH_GRANT: 'device_code' });
    await scene.shows(asked.messageId, 'The link has expired');
    await person.click(asked, 'authorize');
    await scene.shows(asked.messageId, 'One step left');
    assert.equal(scene.consent({ link: scene.sim.deviceCodes().at(-1)?.userCode ?? '', user: person.user }), 'ok');
    assert.equal((await ended(scene, asked.sessionId)).state, 'completed');
  });
});
