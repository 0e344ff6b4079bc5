import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { Client, LoggerLevel } from '@larksuiteoapi/node-sdk';
import type { App, User } from './directory.js';
import { type Simulator, startSimulator } from './index.js';
import { card, connectSdk, type SdkClient } from './support/sdk-client.js';

describe('the gateway, seen by the official WSClient', () => {
  let simulator: Simulator;
  let app: App;
  let user: User;
  let sdk: SdkClient;
  let answer: () => unknown;
  let seen: Record<string, unknown>[];
  let messageId: string;

  before(async () => {
    simulator = await startSimulator({ redeliveryScheduleMs: [50, 50], limits: { ackTimeoutMs: 400 } });
    app = simulator.addApp({ name: 'Orders' });
    user = simulator.addUser({ name: '王芳' });
    const take = (data: unknown): unknown => {
      seen.push(data as Record<string, unknown>);
      return answer();
    };
    sdk = await connectSdk(simulator, app, { 'card.action.trigger': take, 'im.message.receive_v1': take });
    const client = new Client({
      appId: app.appId,
      appSecret: app.appSecret,
      domain: simulator.baseUrl,
      loggerLevel: LoggerLevel.error,
    });
    const sent = await client.im.v1.message.create({
      params: { receive_id_type: 'open_id' },
      data: {
        receive_id: simulator.openId(user, app.appId),
        msg_type: 'interactive',
        content: JSON.stringify(card('hello')),
      },
    });
    assert.equal(sent.code, 0);
    messageId = sent.data?.message_id ?? '';
  });

  after(async () => {
    sdk.close();
    await simulator.close();
  });

  beforeEach(() => {
    seen = [];
    answer = () => ({});
  });

  it('answers the first ping and is pinged again at the interval it names', async () => {
    await simulator.until(() => simulator.connections(app.appId)[0]?.pings.length === 1);
  });

  it('carries a click to the handler and its toast and card back', async () => {
    answer = () => ({ toast: { type: 'success', content: 'done' }, card: { type: 'raw', data: card('changed') } });
    const result = await simulator.click({ messageId, user, value: { action: 'authorize' } });
    assert.equal(result.errorCode, undefined, result.reason);
    assert.equal(result.toastText, 'done');
    assert.deepEqual(simulator.message(messageId)?.content, card('changed'));
    assert.deepEqual((seen[0]?.['action'] as { value: unknown } | undefined)?.value, { action: 'authorize' });
    assert.match(String(seen[0]?.['create_time']), /^\d{16}$/);
  });
});
