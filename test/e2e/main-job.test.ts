/** The main job, from outside: a card in the chat, a click, consent, an authorized card, a token. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newScene } from '../support/scene.js';
import { WAYS } from '../support/ways.js';

describe('a user authorizes a client', { concurrency: 2 }, () => {
  for (const way of WAYS) {
    it(`from the request to the token, by ${way.grant}, clicks by ${way.clicks}`, async (t) => {
      const scene = await newScene(t, { way });
      const { daemon, openId, sim } = scene;
      const asked = await scene.ask({ scopes: ['docx:document:readonly'], reason: 'Weekly report' });
      assert.match(JSON.stringify(asked.message.content), /Weekly report/);

      const click = await scene.click(asked.messageId, 'authorize', asked.sessionId);
      assert.equal(click.errorCode, undefined, click.reason);
      await scene.shows(asked.messageId, '"action":"agreed"');
      // In the ack itself, unless the machine is too busy to make a link within the ack budget.
      if (click.card === undefined) assert.match(JSON.stringify(click.toast), /Preparing the link/);
      else assert.ok(JSON.stringify(click.card).includes(scene.link()));

      assert.equal(scene.consent({ link: scene.link(), user: scene.user }), 'ok');
      const ended = await daemon.call('GET', `/v1/sessions/${asked.sessionId}?wait_seconds=20`);
      assert.equal(ended.body.state, 'completed', JSON.stringify(ended.body));
      await scene.shows(asked.messageId, 'Authorized');

      const token = await daemon.call('GET', `/v1/users/${openId}/token?scopes=docx:document:readonly`);
      assert.equal(token.status, 200, token.text);
      assert.ok(sim.accessTokens().some((known) => known.token === token.body.access_token));
      assert.equal(sim.messagesTo(openId).length, 1);
      assert.equal(sim.connections().length, way.clicks === 'http' ? 0 : 1);
      for (const page of await scene.pages()) assert.match(page.text, /Authorized: Docs Bot/);

      daemon.signal('SIGTERM');
      assert.equal(await daemon.exited(), 0);
    });
  }
});
