import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { type Scene, startScene } from './support/scene.js';
import { card, connectSdk, type SdkClient } from './support/sdk-client.js';

const bodyOf = (text: string): unknown => JSON.parse(text);

describe('the gateway, seen by the official WSClient', () => {
  let scene: Scene;
  let sdk: SdkClient;
  let answer: (data: Record<string, unknown>) => unknown;
  let seen: Record<string, unknown>[];
  let messageId: string;

  const click = (value: unknown = { action: 'authorize' }) =>
    scene.simulator.click({ messageId, user: scene.user, value });

  before(async () => {
    scene = await startScene({ redeliveryScheduleMs: [30, 30], limits: { ackTimeoutMs: 400 } });
    const take = (data: unknown): unknown => {
      seen.push(data as Record<string, unknown>);
      return answer(data as Record<string, unknown>);
    };
    sdk = await connectSdk(scene.simulator, scene.app, { 'card.action.trigger': take, 'im.message.receive_v1': take });
    messageId = await scene.sendCard();
  });

  after(async () => {
    sdk.close();
    await scene.simulator.close();
  });

  beforeEach(() => {
    seen = [];
    answer = () => ({});
  });

  afterEach(() => {
    scene.simulator.faults.clear();
  });

  it('is pinged as soon as the connection is open', async () => {
    await scene.simulator.until(() => scene.simulator.connections(scene.app.appId)[0]?.pings.length === 1);
  });

  it('carries a click to the handler, and its toast and card back to the chat', async () => {
    answer = () => ({
      toast: { type: 'success', content: 'done', i18n: { zh_cn: '好了', en_us: 'done' } },
      card: { type: 'raw', data: card('changed') },
    });
    const result = await click();
    assert.equal(result.errorCode, undefined, result.reason);
    assert.equal(result.toastText, '好了');
    assert.deepEqual(scene.simulator.message(messageId)?.content, card('changed'));
    const [event] = seen;
    assert.deepEqual((event?.['action'] as { value: unknown } | undefined)?.value, { action: 'authorize' });
    assert.equal((event?.['operator'] as { open_id: string } | undefined)?.open_id, scene.openId);
    assert.match(String(event?.['create_time']), /^\d{16}$/);
    assert.match(String(event?.['token']), /^c-/);
  });

  describe('judges each thing a handler can return as the client does', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const rows: [name: string, result: () => unknown, ackCode: number, body: unknown, errorCode: number | undefined][] =
      [
        ['undefined', () => undefined, 200, undefined, undefined],
        ['null', () => null, 200, undefined, undefined],
        ['an empty string', () => '', 200, undefined, undefined],
        ['zero', () => 0, 200, undefined, undefined],
        ['false', () => false, 200, undefined, undefined],
        ['an empty object', () => ({}), 200, {}, undefined],
        ['a string', () => 'x', 200, 'x', 200672],
        ['a number', () => 5, 200, 5, 200672],
        ['an array', () => [], 200, [], 200672],
        ['a stray member', () => ({ toasts: {} }), 200, { toasts: {} }, 200672],
        ['an unknown toast type', () => ({ toast: { type: 'ok' } }), 200, { toast: { type: 'ok' } }, 200672],
        [
          'a card given as text',
          () => ({ card: { type: 'raw', data: '{}' } }),
          200,
          bodyOf('{"card":{"type":"raw","data":"{}"}}'),
          200672,
        ],
        ['a card without its wrapper', () => ({ card: { schema: '2.0' } }), 200, { card: { schema: '2.0' } }, 200672],
        ['a circular object', () => circular, 500, undefined, 200671],
        ['a BigInt', () => 1n, 500, undefined, 200671],
        ['a rejected promise', () => Promise.reject(new Error('boom')), 500, undefined, 200671],
      ];
    for (const [name, result, ackCode, body, errorCode] of rows) {
      it(name, async () => {
        answer = result;
        const outcome = await click();
        assert.deepEqual(
          [outcome.ackCode, outcome.ackBody, outcome.errorCode],
          [ackCode, body, errorCode],
          outcome.reason,
        );
      });
    }
  });

  it('shows 200673 for a card that breaks the rules and keeps what was shown', async () => {
    const before = scene.simulator.message(messageId)?.content;
    answer = () => ({ card: { type: 'raw', data: { ...card('x'), body: { elements: [{ tag: 'action' }] } } } });
    assert.equal((await click()).errorCode, 200673);
    assert.equal(scene.simulator.message(messageId)?.content, before);
  });

  it('shows 200830 for a 1.0 card in answer to a 2.0 card', async () => {
    answer = () => ({ card: { type: 'raw', data: { elements: [] } } });
    assert.equal((await click()).errorCode, 200830);
  });

  it('shows 200341 when the ack is late, and the late ack changes nothing', async () => {
    const late = scene.simulator.waitFor('ack.ignored');
    const before = scene.simulator.message(messageId)?.content;
    answer = () => new Promise((resolve) => setTimeout(resolve, 500, { card: { type: 'raw', data: card('late') } }));
    const result = await click();
    assert.equal(result.errorCode, 200341);
    assert.ok(result.tookMs >= 380 && result.tookMs < 3_000, String(result.tookMs));
    await late;
    assert.equal(scene.simulator.message(messageId)?.content, before);
  });

  it('sends a callback once only, also when the handler throws', async () => {
    answer = () => {
      throw new Error('boom');
    };
    await click();
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(seen.length, 1);
  });

  it('gets no ack for a frame of the old type "card"', async () => {
    const result = await scene.simulator.click({ messageId, user: scene.user, value: {}, frameType: 'card' });
    assert.equal(result.errorCode, 200341);
    assert.equal(seen.length, 0);
  });

  it('shows 200672 for a callback nobody handles, because the SDK answers with a sentence', async () => {
    const other = scene.simulator.addApp();
    const idle = await connectSdk(scene.simulator, other, {});
    const outcome = await scene.simulator.click({ messageId, appId: other.appId, user: scene.user, value: {} });
    idle.close();
    assert.deepEqual([outcome.ackBody, outcome.errorCode], ['no card.action.trigger event handle', 200672]);
  });

  it('puts fragments together in any order, with characters cut in two', async () => {
    for (const order of ['forward', 'reverse'] as const) {
      const value = { text: '授权✓'.repeat(20) };
      const result = await scene.simulator.click({
        messageId,
        user: scene.user,
        value,
        fragments: 57,
        fragmentOrder: order,
      });
      assert.equal(result.errorCode, undefined, `${order}: ${result.reason}`);
      assert.deepEqual((seen.at(-1)?.['action'] as { value: unknown } | undefined)?.value, value);
    }
  });

  it('runs the handler twice for a duplicated frame and counts the first ack', async () => {
    const ignored = scene.simulator.waitFor('ack.ignored');
    scene.simulator.faults.add({ on: 'delivery', kind: 'duplicate', copies: 2, times: 1 });
    assert.equal((await click()).errorCode, undefined);
    await ignored;
    assert.equal(seen.length, 2);
  });

  it('carries both create_time units, the flat shape, and operators of any kind', async () => {
    await scene.simulator.click({ messageId, user: scene.user, value: {}, createTimeUnit: 'ms' });
    assert.match(String(seen.at(-1)?.['create_time']), /^\d{13}$/);
    await scene.simulator.click({ messageId, user: scene.user, value: {}, flat: true });
    assert.equal(seen.at(-1)?.['open_id'], scene.openId);
    assert.equal(seen.at(-1)?.['open_message_id'], messageId);
    await scene.simulator.click({ messageId, user: scene.user, value: {}, operator: { union_id: 'on_1' } });
    assert.deepEqual(seen.at(-1)?.['operator'], { union_id: 'on_1' });
    await scene.simulator.click({
      messageId,
      user: scene.user,
      value: {},
      contextMessageId: null,
      outerMessageId: 'c-temp-1',
    });
    assert.equal(seen.at(-1)?.['context'], undefined);
    assert.equal(seen.at(-1)?.['open_message_id'], 'c-temp-1');
  });

  it('redelivers an event until the handler stops throwing', async () => {
    answer = () => {
      if (seen.length < 3) throw new Error('not yet');
      return undefined;
    };
    const push = scene.simulator.pushEvent(
      scene.app.appId,
      scene.simulator.envelope(scene.app.appId, 'im.message.receive_v1', {}),
    );
    const { delivered, attempts } = await push.done;
    assert.equal(delivered, true);
    assert.equal(attempts.length, 3);
    assert.equal(new Set(seen.map((event) => event['event_id'])).size, 1);
  });

  it('gives an event up after the schedule is through', async () => {
    answer = () => {
      throw new Error('never');
    };
    const envelope = scene.simulator.envelope(scene.app.appId, 'im.message.receive_v1', {});
    const { delivered, attempts } = await scene.simulator.pushEvent(scene.app.appId, envelope).done;
    assert.deepEqual([delivered, attempts.length], [false, 3]);
  });

  it('lets the SDK survive every kind of garbage and still carries the next click', async () => {
    const { GARBAGE } = await import('./gateway/garbage.js');
    for (const kind of Object.keys(GARBAGE) as (keyof typeof GARBAGE)[]) {
      // A pong of {} makes the SDK ping without pause; it has a test of its own.
      if (kind !== 'empty_pong') scene.simulator.sockets(scene.app.appId)[0]?.sendGarbage(kind);
    }
    assert.equal((await click()).errorCode, undefined);
    assert.equal(sdk.reconnects.reconnecting, 0);
  });
});
