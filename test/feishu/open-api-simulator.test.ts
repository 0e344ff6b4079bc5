import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { FeishuError } from '../../src/domain/feishu-error.js';
import { createOpenApi, type OpenApi } from '../../src/feishu/open-api/open-api.js';
import type { App, User } from '../simulator/directory.js';
import { type Simulator, startSimulator } from '../simulator/index.js';
import { startExchange, type TestExchange } from '../support/exchange.js';
import { appConfig } from '../support/feishu-app.js';

let sim: Simulator;
let parts: TestExchange;
let user: User;
let app: App;
let api: OpenApi;
let openId: string;

before(async () => {
  sim = await startSimulator();
  parts = await startExchange();
  user = sim.addUser({ name: 'Li Hua' });
});
after(async () => {
  await sim.close();
  await parts.stop();
});
beforeEach(() => {
  sim.faults.clear();
  app = sim.addApp({ name: 'Docs Bot' });
  api = clientOf(app);
  openId = sim.openId(user, app.appId);
});

const clientOf = (of: { readonly appId: string; readonly appSecret: string }): OpenApi =>
  createOpenApi({
    app: appConfig(sim.baseUrl, of),
    exchange: parts.exchange,
    logger: parts.log.logger,
    clock: Date.now,
    timeouts: { messageMs: 300 },
  });

const card = (text: string) => ({ schema: '2.0', body: { elements: [{ tag: 'markdown', content: text }] } });
const toUser = (text: string, uuid: string) =>
  ({ receiveIdType: 'open_id', receiveId: openId, card: card(text), uuid }) as const;

async function failure(promise: Promise<unknown>): Promise<FeishuError> {
  const error: unknown = await promise.then(
    () => assert.fail('it should have failed'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof FeishuError, String(error));
  return error;
}

const tokenCalls = (): number =>
  sim.calls.filter((call) => call.api === 'tenant_access_token' && call.appId === app.appId).length;

describe('open platform client against Feishu in a box', () => {
  it('sends a card, updates it, and tells a group', async () => {
    const sent = await api.sendCard(toUser('one', 'uuid-send'));
    assert.equal(sim.message(sent.messageId)?.chatId, sent.chatId);
    await api.patchCard({ messageId: sent.messageId, card: card('two') });
    assert.deepEqual(sim.message(sent.messageId)?.content, card('two'));
    const group = sim.addGroup({ appIds: [app.appId], members: [user] });
    const text = { receiveIdType: 'chat_id', receiveId: group.chatId, text: 'hello', uuid: 'uuid-text' } as const;
    assert.equal((await api.sendText(text)).chatId, group.chatId);
  });

  for (const fault of [{ kind: 'status', status: 500 }, { kind: 'reset' }, { kind: 'hang' }] as const) {
    it(`makes one message of a send answered with ${fault.kind} and its repeat with the same uuid`, async () => {
      sim.faults.add({ on: 'api', api: 'message.send', appId: app.appId, when: 'after', times: 1, ...fault });
      const lost = await failure(api.sendCard(toUser('once', 'uuid-once')));
      assert.equal(lost.kind, 'uncertain');
      const sent = await api.sendCard(toUser('once', 'uuid-once'));
      const all = sim.messages().filter((message) => message.appId === app.appId);
      assert.deepEqual(
        all.map((message) => message.messageId),
        [sent.messageId],
      );
    });
  }

  it('fetches one new tenant token per revocation with 20 updates at once, and all succeed', async () => {
    const sent: string[] = [];
    for (let count = 0; count < 4; count += 1) {
      sent.push((await api.sendCard(toUser(`card ${count}`, `uuid-${count}`))).messageId);
    }
    assert.equal(tokenCalls(), 1);
    for (let round = 0; round < 2; round += 1) {
      sim.revokeTenantTokens(app.appId);
      const updates = Array.from({ length: 20 }, (_, index) =>
        api.patchCard({ messageId: sent[index % 4] ?? '', card: card(`round ${round}`) }),
      );
      await Promise.all(updates);
      assert.equal(tokenCalls(), 2 + round);
    }
    assert.equal(sim.overLimit, 0);
  });

  const refusals = [
    [{ available: [] as User[] }, 230013, 'unreachable'],
    [{ bot: false }, 230006, 'misconfigured'],
  ] as const;
  for (const [change, code, meaning] of refusals) {
    it(`names ${code} as ${meaning}`, async () => {
      sim.changeApp(app.appId, { ...change } as Parameters<Simulator['changeApp']>[1]);
      const error = await failure(api.sendCard(toUser('x', 'uuid-x')));
      assert.equal(error.kind, 'refused');
      assert.equal(error.feishuCode, code);
      assert.equal(error.meaning, meaning);
      assert.ok(error.logId !== null);
    });
  }

  it('names a recalled message as gone, an open_id of another app as that', async () => {
    const { messageId } = await api.sendCard(toUser('x', 'uuid-gone'));
    sim.recall(messageId);
    assert.equal((await failure(api.patchCard({ messageId, card: card('y') }))).meaning, 'gone');
    const foreign = sim.openId(user, sim.addApp().appId);
    const error = await failure(api.sendCard({ ...toUser('x', 'uuid-foreign'), receiveId: foreign }));
    assert.equal(error.feishuCode, 99992361);
  });

  it('says which rule a card breaks', async () => {
    const broken = { schema: '2.0', body: { elements: [{ tag: 'action' }] } };
    const error = await failure(api.sendCard({ ...toUser('', 'uuid-broken'), card: broken }));
    assert.equal(error.feishuCode, 230099);
    assert.match(error.message, /ErrCode \d+/);
  });

  it('knows the name of the app', async () => {
    assert.equal(await api.appName(), 'Docs Bot');
  });

  it('refuses wrong credentials with what to do, and takes right ones', async () => {
    await api.checkCredentials();
    const error = await failure(clientOf({ appId: app.appId, appSecret: 'y'.repeat(32) }).checkCredentials());
    assert.equal(error.meaning, 'misconfigured');
    assert.match(error.remedy, /FEISHU_APP_SECRET/);
  });

  it('has logged nothing secret', () => {
    const text = parts.log.text();
    assert.deepEqual(
      sim.secretsByKind().filter((secret) => text.includes(secret.value)),
      [],
    );
  });
});
