import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Client } from '@larksuiteoapi/node-sdk';
import { ask, type Scene, startScene, tenantToken } from '../support/scene.js';
import { card, silent } from '../support/sdk-client.js';

const MESSAGES = '/open-apis/im/v1/messages';
const CONTENT = JSON.stringify(card('x'));
const TO_OPEN_ID = `${MESSAGES}?receive_id_type=open_id`;

/** Scopes any of which would have done. */
function subjectsOf(body: Record<string, unknown>): unknown[] {
  const { permission_violations: violations } = body['error'] as { permission_violations: { subject: string }[] };
  return violations.map(({ subject }) => subject);
}

describe('the open platform', () => {
  let scene: Scene;

  const restart = async (...options: Parameters<typeof startScene>): Promise<void> => {
    await scene.simulator.close();
    scene = await startScene(...options);
  };
  const send = (overrides: Record<string, unknown> = {}, path = TO_OPEN_ID) =>
    scene.call('POST', path, {
      receive_id: scene.openId,
      msg_type: 'interactive',
      content: CONTENT,
      ...overrides,
    });
  const codeOf = async (answer: Promise<{ body: Record<string, unknown> }>): Promise<unknown> =>
    (await answer).body['code'];

  beforeEach(async () => {
    scene = await startScene();
  });

  afterEach(async () => {
    await scene.simulator.close();
  });

  describe('tenant_access_token', () => {
    const fetchToken = async (secret: string) =>
      ask(scene.simulator, 'POST', '/open-apis/auth/v3/tenant_access_token/internal', {
        app_id: scene.app.appId,
        app_secret: secret,
      });

    it('gives the same token while at least a quarter of its life is left, then a new one, both alive', async () => {
      let now = 1_000_000;
      await restart({ now: () => now });
      const first = (await fetchToken(scene.app.appSecret)).body;
      assert.deepEqual([first['code'], first['expire']], [0, 7200]);
      now += 5_400_000;
      const same = (await fetchToken(scene.app.appSecret)).body;
      assert.deepEqual([same['tenant_access_token'], same['expire']], [first['tenant_access_token'], 1800]);
      now += 1000;
      const next = (await fetchToken(scene.app.appSecret)).body;
      assert.notEqual(next['tenant_access_token'], first['tenant_access_token']);
      const bearer = { authorization: `Bearer ${String(first['tenant_access_token'])}` };
      assert.equal(
        await codeOf(ask(scene.simulator, 'GET', '/open-apis/application/v6/applications/me', undefined, bearer)),
        0,
      );
    });

    it('answers 10014 with HTTP 200 for a wrong secret, 10003 for a missing field', async () => {
      const wrong = await fetchToken('wrong');
      assert.deepEqual([wrong.status, wrong.body['code']], [200, 10014]);
      assert.equal((await fetchToken('')).body['code'], 10003);
    });

    it('is checked by every call: missing, unknown, revoked, of a stopped app', async () => {
      const path = `${MESSAGES}/om_x`;
      assert.equal(await codeOf(ask(scene.simulator, 'GET', path)), 99991661);
      const bearer = { authorization: `Bearer ${await tenantToken(scene.simulator, scene.app)}` };
      scene.simulator.revokeTenantTokens(scene.app.appId);
      assert.equal(await codeOf(ask(scene.simulator, 'GET', path, undefined, bearer)), 99991663);
      const again = { authorization: `Bearer ${await tenantToken(scene.simulator, scene.app)}` };
      scene.simulator.changeApp(scene.app.appId, { disabled: true });
      assert.equal(await codeOf(ask(scene.simulator, 'GET', path, undefined, again)), 99991673);
    });
  });

  describe('sending', () => {
    it('serves Lark.Client: send, PATCH, recall', async () => {
      const { appId, appSecret } = scene.app;
      const client = new Client({ appId, appSecret, domain: scene.simulator.baseUrl, logger: silent });
      const sent = await client.im.v1.message.create({
        params: { receive_id_type: 'open_id' },
        data: { receive_id: scene.openId, msg_type: 'interactive', content: JSON.stringify(card('one')) },
      });
      const messageId = sent.data?.message_id ?? '';
      assert.match(messageId, /^om_/);
      assert.match(sent.data?.chat_id ?? '', /^oc_/);
      const path = { message_id: messageId };
      assert.equal(
        (await client.im.v1.message.patch({ path, data: { content: JSON.stringify(card('two')) } })).code,
        0,
      );
      assert.deepEqual(scene.simulator.messagesTo(scene.openId)[0]?.content, card('two'));
      assert.equal((await client.im.v1.message.delete({ path })).code, 0);
      await assert.rejects(
        client.im.v1.message.patch({ path, data: { content: JSON.stringify(card('3')) } }),
        (error: unknown) => {
          const { response } = error as { response: { status: number; data: { code: number } } };
          assert.deepEqual([response.status, response.data.code], [400, 230011]);
          return true;
        },
      );
    });

    it('puts a log id on every answer', async () => {
      assert.match((await send()).headers.get('x-tt-logid') ?? '', /^\d{13}[0-9A-F]+$/);
    });

    it('returns the first message for a repeated uuid within its window', async () => {
      let now = Date.now();
      await restart({ now: () => now });
      const idOf = async (uuid: string) => ((await send({ uuid })).body['data'] as { message_id: string }).message_id;
      const first = await idOf('u1');
      assert.equal(await idOf('u1'), first);
      assert.notEqual(await idOf('u2'), first);
      now += 3_600_001;
      assert.notEqual(await idOf('u1'), first);
      assert.equal(await codeOf(send({ uuid: 'x'.repeat(51) })), 99992402);
    });

    it('wants content as text that holds a JSON object', async () => {
      assert.equal(await codeOf(send({ content: card('x') })), 230001);
      assert.equal(await codeOf(send({ content: '{' })), 230001);
      assert.equal(await codeOf(send({ content: '[]' })), 230001);
    });

    it('refuses a bad card with 230099 and the sub-code in the text', async () => {
      const answer = await send({ content: JSON.stringify({ ...card('x'), body: { elements: [{ tag: 'action' }] } }) });
      assert.deepEqual([answer.status, answer.body['code']], [400, 230099]);
      assert.match(String(answer.body['msg']), /ErrCode: 200861/);
    });

    it('knows open_ids that are unknown, of another app, and people out of reach', async () => {
      const other = scene.simulator.addApp({ available: [] });
      const foreign = scene.simulator.openId(scene.user, other.appId);
      assert.equal(await codeOf(send({ receive_id: 'ou_nobody' })), 99992351);
      assert.equal(await codeOf(send({ receive_id: foreign })), 99992361);
      scene.simulator.changeApp(scene.app.appId, { available: [] });
      assert.equal(await codeOf(send()), 230013);
      scene.simulator.changeApp(scene.app.appId, { available: [scene.user], bot: false });
      assert.equal(await codeOf(send()), 230006);
      scene.simulator.changeApp(scene.app.appId, { bot: true });
      scene.user.state = 'resigned';
      assert.equal(await codeOf(send()), 230029);
    });

    it('tells people apart who share an open_id in different apps', async () => {
      const other = scene.simulator.addApp();
      const twin = scene.simulator.addUser({ openIds: { [other.appId]: scene.openId } });
      await send();
      const bearer = { authorization: `Bearer ${await tenantToken(scene.simulator, other)}` };
      const body = { receive_id: scene.openId, msg_type: 'text', content: '{"text":"hi"}' };
      assert.equal(await codeOf(ask(scene.simulator, 'POST', TO_OPEN_ID, body, bearer)), 0);
      assert.deepEqual(
        scene.simulator.messages().map((message) => message.userId),
        [scene.user.userId, twin.userId],
      );
    });

    it('writes text to a group the bot is in, and to no other', async () => {
      const group = scene.simulator.addGroup({ appIds: [scene.app.appId], members: [scene.user] });
      const notOurs = scene.simulator.addGroup({ appIds: [], members: [] });
      const text = (chatId: string) =>
        codeOf(
          send(
            { receive_id: chatId, msg_type: 'text', content: '{"text":"hi"}' },
            `${MESSAGES}?receive_id_type=chat_id`,
          ),
        );
      assert.deepEqual([await text(group.chatId), await text(notOurs.chatId), await text('oc_x')], [0, 230002, 230034]);
    });
  });

  it('takes rich text in several languages, and refuses what Feishu would', async () => {
    const post = (content: unknown) =>
      codeOf(send({ receive_id: scene.openId, msg_type: 'post', content: JSON.stringify(content) }));
    const line = [{ tag: 'text', text: 'hello' }];
    const link = [{ tag: 'a', text: 'here', href: 'https://a.example' }];
    assert.equal(await post({ zh_cn: { title: '一', content: [line, link] }, en_us: { content: [line] } }), 0);
    assert.equal(scene.simulator.messages().at(-1)?.kind, 'post');
    const refused: unknown[] = [{}, { title: 'x' }, { zh: { content: [line] } }];
    for (const content of [
      [],
      [[]],
      line,
      [[{ tag: 'text' }]],
      [[{ ...link[0], href: 'lark://x' }]],
      [[{ tag: 'b' }]],
    ]) {
      refused.push({ zh_cn: { content } });
    }
    for (const content of refused) assert.equal(await post(content), 230001, JSON.stringify(content));
    assert.equal(await post({ zh_cn: { content: [[{ tag: 'text', text: 'x'.repeat(31_000) }]] } }), 230025);
  });

  describe('updating', () => {
    const patch = (messageId: string, content: unknown) =>
      scene.call('PATCH', `${MESSAGES}/${messageId}`, { content: JSON.stringify(content) });

    it('refuses what is recalled, too old, not ours, text, or of another schema', async () => {
      const messageId = await scene.sendCard();
      assert.equal(await codeOf(patch(messageId, { elements: [] })), 230099);
      assert.equal(await codeOf(scene.call('PUT', `${MESSAGES}/${messageId}`, {})), 230001);
      const message = scene.simulator.message(messageId) ?? assert.fail();
      message.createdAt -= 15 * 86_400_000;
      assert.equal(await codeOf(patch(messageId, card('x'))), 230031);
      message.createdAt = Date.now();
      message.appId = 'cli_other';
      assert.equal(await codeOf(patch(messageId, card('x'))), 230017);
      message.appId = scene.app.appId;
      scene.simulator.recall(messageId);
      assert.equal(await codeOf(patch(messageId, card('x'))), 230011);
    });

    it('wants update_multi before and after for 1.0 cards', async () => {
      const old = (shared: boolean) => ({ config: { update_multi: shared }, elements: [] });
      const shared = await scene.sendCard(old(true));
      assert.equal(await codeOf(patch(shared, old(true))), 0);
      assert.equal(await codeOf(patch(shared, old(false))), 230001);
    });
  });

  describe('limits', () => {
    it('answers 429 with the reset header above the calls of an app and API in a second', async () => {
      await restart({ limits: { appApiPerSecond: 3 } });
      const get = () => scene.call('GET', `${MESSAGES}/om_x`);
      for (let count = 0; count < 3; count += 1) assert.equal((await get()).body['code'], 230001);
      const refused = await ask(scene.simulator, 'GET', `${MESSAGES}/om_x`, undefined, {
        authorization: `Bearer ${scene.simulator.secrets(['tenant_access_token'])[0]}`,
      });
      assert.deepEqual([refused.status, refused.body['code']], [429, 99991400]);
      assert.equal(refused.headers.get('x-ogw-ratelimit-reset'), '1');
      assert.equal(refused.headers.get('x-ogw-ratelimit-limit'), '3');
      assert.ok(scene.simulator.overLimit >= 1);
    });

    it('holds the limits of a minute in a sliding window, for each app by itself', async () => {
      let now = 10_000_000;
      await restart({ now: () => now, limits: { appApiPerMinute: 2 } });
      const get = async (token: string) =>
        (await ask(scene.simulator, 'GET', `${MESSAGES}/om_x`, undefined, { authorization: `Bearer ${token}` })).status;
      const token = await tenantToken(scene.simulator, scene.app);
      assert.equal(await get(token), 400);
      now += 30_000;
      assert.equal(await get(token), 400);
      assert.equal(await get(token), 429);
      now += 30_001;
      assert.equal(await get(token), 400);
      assert.equal(await get(token), 429);
      const other = await tenantToken(scene.simulator, scene.simulator.addApp());
      assert.equal(await get(other), 400);
      assert.equal(scene.simulator.overLimit, 2);
    });

    it('answers 230020 to the sixth message to one person and the sixth PATCH of one message in a second', async () => {
      const now = Date.now();
      await restart({ now: () => now });
      const codes: unknown[] = [];
      for (let count = 0; count < 6; count += 1) codes.push(await codeOf(send()));
      assert.deepEqual(codes, [0, 0, 0, 0, 0, 230020]);
      const messageId = scene.simulator.messages()[0]?.messageId ?? '';
      const patches: unknown[] = [];
      for (let count = 0; count < 6; count += 1) {
        patches.push(
          await codeOf(scene.call('PATCH', `${MESSAGES}/${messageId}`, { content: JSON.stringify(card('p')) })),
        );
      }
      assert.deepEqual(patches, [0, 0, 0, 0, 0, 230020]);
      assert.deepEqual(
        scene.simulator.calls.filter((call) => call.overLimit).map((call) => call.overLimit),
        ['user', 'message'],
      );
    });

    it('counts but serves when told not to enforce', async () => {
      const now = Date.now();
      await restart({ now: () => now, limits: { enforce: false, userPerSecond: 1 } });
      assert.deepEqual([await codeOf(send()), await codeOf(send())], [0, 0]);
      assert.equal(scene.simulator.overLimit, 1);
    });
  });

  it('lists the scopes enabled in the console', async () => {
    scene.simulator.changeApp(scene.app.appId, { enabledScopes: ['offline_access'] });
    const { body } = await scene.call('GET', `/open-apis/application/v6/applications/${scene.app.appId}?lang=zh_cn`);
    const { app } = body['data'] as { app: { app_name: string; scopes: { scope: string; token_types: string[] }[] } };
    assert.equal(app.app_name, '订单助手');
    assert.deepEqual(
      app.scopes.map(({ scope, token_types: types }) => [scope, types]),
      [
        ['offline_access', ['user']],
        ['im:message', ['tenant']],
        ['auth:user_access_token:read', ['tenant']],
        ['application:application:self_manage', ['tenant']],
      ],
    );
  });

  it('wants tenant scopes for what the app does in its own name, and names those that would do', async () => {
    scene.simulator.changeApp(scene.app.appId, { tenantScopes: [] });
    const info = await scene.call('GET', `/open-apis/application/v6/applications/${scene.app.appId}`);
    assert.deepEqual([info.body['code'], subjectsOf(info.body)], [99991672, ['application:application:self_manage']]);
    const sent = await send();
    assert.deepEqual(
      [sent.body['code'], subjectsOf(sent.body)],
      [99991672, ['im:message', 'im:message:send_as_bot', 'im:message:send']],
    );
    scene.simulator.changeApp(scene.app.appId, { tenantScopes: ['im:message:send'] });
    const { message_id: messageId } = (await send()).body['data'] as { message_id: string };
    const patched = await scene.call('PATCH', `/open-apis/im/v1/messages/${messageId}`, { content: CONTENT });
    assert.equal(patched.body['code'], 99991672);
  });

  it('looks at the IP allow-list in every call but those for tokens', async () => {
    scene.simulator.changeApp(scene.app.appId, { ipAllowed: false });
    assert.equal(await codeOf(send()), 99991401);
    const { appId, appSecret } = scene.app;
    const token = await scene.call('POST', '/open-apis/auth/v3/tenant_access_token/internal', {
      app_id: appId,
      app_secret: appSecret,
    });
    assert.equal(token.body['code'], 0);
  });
});
