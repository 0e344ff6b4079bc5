import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { connectRaw, type RawClient } from '../support/raw-client.js';
import { type Scene, startScene } from '../support/scene.js';
import { card } from '../support/sdk-client.js';

const encoded = (answer: unknown): string => Buffer.from(JSON.stringify(answer)).toString('base64');

describe('what the client shows', () => {
  let scene: Scene;
  let raw: RawClient;
  let messageId: string;

  const shown = () => scene.simulator.message(messageId)?.content;
  const sources = () => scene.simulator.message(messageId)?.history.map((applied) => applied.source);
  const patch = (text: string) =>
    scene.call('PATCH', `/open-apis/im/v1/messages/${messageId}`, { content: JSON.stringify(card(text)) });
  const click = () => scene.simulator.click({ messageId, user: scene.user, value: {} });
  const cardAck = (text: string) => ({ code: 200, data: encoded({ card: { type: 'raw', data: card(text) } }) });

  beforeEach(async () => {
    scene = await startScene({ limits: { ackTimeoutMs: 300, callbackTokenLifeMs: 5000 } });
    messageId = await scene.sendCard(card('first'));
    raw = await connectRaw(scene.simulator, scene.app);
  });

  afterEach(async () => {
    await scene.simulator.close();
  });

  it('shows a PATCH at once when no click is in progress', async () => {
    assert.equal((await patch('patched')).body['code'], 0);
    assert.deepEqual(shown(), card('patched'));
  });

  it('shows a PATCH during a click, and goes back at an ack without a card', async () => {
    const result = click();
    const frame = await raw.next();
    await patch('too early');
    assert.deepEqual(shown(), card('too early'));
    raw.ack(frame);
    await result;
    assert.deepEqual(shown(), card('first'));
    assert.deepEqual(sources(), ['send', 'patch', 'revert']);
  });

  it('replaces a PATCH made during a click by the card of the ack', async () => {
    const result = click();
    const frame = await raw.next();
    await patch('too early');
    raw.ack(frame, cardAck('from the ack'));
    await result;
    assert.deepEqual(shown(), card('from the ack'));
    assert.deepEqual(sources(), ['send', 'patch', 'ack']);
  });

  it('keeps a PATCH made after the ack', async () => {
    const result = click();
    raw.ack(await raw.next(), cardAck('from the ack'));
    await result;
    await patch('afterwards');
    assert.deepEqual(shown(), card('afterwards'));
  });

  it('keeps a PATCH made during a click that is never answered', async () => {
    const result = click();
    await raw.next();
    await patch('during');
    assert.equal((await result).errorCode, 200341);
    assert.deepEqual(shown(), card('during'));
  });

  it('does not go back behind the card of another click', async () => {
    const [one, two] = [click(), click()];
    const frames = [await raw.next(), await raw.next()] as const;
    raw.ack(frames[0], cardAck('settled'));
    await one;
    raw.ack(frames[1]);
    await two;
    assert.deepEqual(shown(), card('settled'));
  });

  it('says that a click is in progress', async () => {
    const result = click();
    const frame = await raw.next();
    assert.equal(scene.simulator.message(messageId)?.clicking, 1);
    raw.ack(frame);
    await result;
    assert.equal(scene.simulator.message(messageId)?.clicking, 0);
  });

  describe('by the update token of a callback', () => {
    const tokenOf = async (): Promise<string> => {
      const result = click();
      const frame = await raw.next();
      const envelope = JSON.parse(Buffer.from(frame.payload ?? []).toString('utf8')) as { event: { token: string } };
      raw.ack(frame);
      await result;
      return envelope.event.token;
    };
    const update = async (body: unknown): Promise<unknown> =>
      (await scene.call('POST', '/open-apis/interactive/v1/card/update', body)).body['code'];

    it('takes two updates and refuses the third', async () => {
      const token = await tokenOf();
      assert.deepEqual(
        [
          await update({ token, card: card('one') }),
          await update({ token, card: card('two') }),
          await update({ token, card: card('three') }),
        ],
        [0, 0, 300040],
      );
      assert.deepEqual(shown(), card('two'));
      assert.equal(scene.simulator.usedCallbackTokens()[0]?.uses, 2);
    });

    it('refuses tokens made up or expired, and cards of another schema', async () => {
      const token = await tokenOf();
      assert.equal(await update({ token: 'c-x', card: card('one') }), 300020);
      assert.equal(await update({ token, card: { elements: [] } }), 11311);
      assert.equal(await update({ token }), 10002);
      assert.equal(await update('{'), 100030);
      const [used] = [await tokenOf()];
      scene.simulator.recall(messageId);
      assert.equal(await update({ token: used, card: card('x') }), 200000);
    });

    it('is undone by the ack when sent before it', async () => {
      const result = click();
      const frame = await raw.next();
      const { event } = JSON.parse(Buffer.from(frame.payload ?? []).toString('utf8')) as { event: { token: string } };
      assert.equal(await update({ token: event.token, card: card('too early') }), 0);
      raw.ack(frame);
      await result;
      assert.deepEqual(shown(), card('first'));
    });
  });
});
