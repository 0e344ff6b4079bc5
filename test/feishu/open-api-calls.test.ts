import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { AppConfig } from '../../src/config/config.js';
import { FeishuError } from '../../src/domain/feishu-error.js';
import { createOpenApi, type OpenApi, type OpenApiTimeouts } from '../../src/feishu/open-api/open-api.js';
import type { LogLine } from '../support/captured-log.js';
import { startExchange, type TestExchange } from '../support/exchange.js';
import { appConfig } from '../support/feishu-app.js';
import {
  type Asked,
  hang,
  hangUp,
  late,
  type Scripted,
  type ScriptedServer,
  startScriptedServer,
} from '../support/scripted-server.js';

const APP_SECRET = 'sentinel-app-secret';
const TOKEN_PATH = '/open-apis/auth/v3/tenant_access_token/internal';

let parts: TestExchange;
let server: ScriptedServer;
/** What the token endpoint and everything else answer; tests replace them. */
let onToken: () => Scripted;
let onCall: (asked: Asked) => Scripted;
let issued = 0;
let nowMs = Date.now();

before(async () => {
  parts = await startExchange();
  server = await startScriptedServer((asked) => (asked.url === TOKEN_PATH ? onToken() : onCall(asked)));
  reset();
});
afterEach(reset);
after(async () => {
  await server.stop();
  await parts.stop();
});

function reset(): void {
  issued = 0;
  onToken = () => token(7_200);
  onCall = () => ok({});
}

function token(expire: unknown): Scripted {
  issued += 1;
  return { json: { code: 0, msg: 'ok', tenant_access_token: `t-${issued}`, expire } };
}

const ok = (data: unknown): Scripted => ({ json: { code: 0, msg: 'success', data } });
const bearerOf = (asked: Asked | undefined): string | undefined => asked?.headers.authorization?.replace('Bearer ', '');
const tokenCalls = (): number => server.asked.filter((asked) => asked.url === TOKEN_PATH).length;
const isTokenCall = (line: LogLine): boolean => line['api'] === 'auth.tenant_access_token';
const others = (): Asked[] => server.asked.filter((asked) => asked.url !== TOKEN_PATH);

let apps = 0;
/** A client of an app of its own, which has not fetched a token yet. */
function newOpenApi(timeouts: Partial<OpenApiTimeouts> = {}): { api: OpenApi; app: AppConfig } {
  apps += 1;
  server.asked.splice(0);
  const app = appConfig(server.url, { appId: `cli_${apps.toString(16).padStart(16, '0')}`, appSecret: APP_SECRET });
  const { exchange, log } = parts;
  return { app, api: createOpenApi({ app, exchange, logger: log.logger, clock: () => nowMs, timeouts }) };
}

const patch = (api: OpenApi, id = 'om_1'): Promise<void> => api.patchCard({ messageId: id, card: { schema: '2.0' } });

async function failure(promise: Promise<unknown>): Promise<FeishuError> {
  const error: unknown = await promise.then(
    () => assert.fail('it should have failed'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof FeishuError, String(error));
  return error;
}

describe('messages', () => {
  it('sends a card as Feishu wants it and gives its ids', async () => {
    onCall = () => ok({ message_id: 'om_9', chat_id: 'oc_9' });
    const { api } = newOpenApi();
    const card = { schema: '2.0', body: { elements: [] } };
    const sent = await api.sendCard({ receiveIdType: 'open_id', receiveId: 'ou_1', card, uuid: 'u-1' });
    assert.deepEqual(sent, { messageId: 'om_9', chatId: 'oc_9' });
    const asked = others().at(-1);
    assert.equal(asked?.method, 'POST');
    assert.equal(asked?.url, '/open-apis/im/v1/messages?receive_id_type=open_id');
    assert.equal(bearerOf(asked), 't-1');
    assert.deepEqual(server.lastJson(), {
      receive_id: 'ou_1',
      msg_type: 'interactive',
      content: JSON.stringify(card),
      uuid: 'u-1',
    });
  });

  it('sends a text to a chat', async () => {
    onCall = () => ok({ message_id: 'om_8', chat_id: 'oc_1' });
    const { api } = newOpenApi();
    await api.sendText({ receiveIdType: 'chat_id', receiveId: 'oc_1', text: 'hello "you"', uuid: 'u-2' });
    assert.equal(others().at(-1)?.url, '/open-apis/im/v1/messages?receive_id_type=chat_id');
    assert.equal(server.lastJson()['content'], '{"text":"hello \\"you\\""}');
  });

  it('updates a card by its message id, escaped', async () => {
    const { api } = newOpenApi();
    await patch(api, 'om/../1');
    assert.equal(others().at(-1)?.method, 'PATCH');
    assert.equal(others().at(-1)?.url, '/open-apis/im/v1/messages/om%2F..%2F1');
    assert.deepEqual(server.lastJson(), { content: '{"schema":"2.0"}' });
  });

  it('does not know what became of a message whose answer was cut or has no id', async () => {
    const { api } = newOpenApi();
    const card = { receiveIdType: 'open_id', receiveId: 'ou_1', card: {}, uuid: 'u-3' } as const;
    for (const answer of [hangUp, ok({}), { status: 500, text: 'oops' }] as Scripted[]) {
      onCall = () => answer;
      assert.equal((await failure(api.sendCard(card))).kind, 'uncertain');
    }
  });

  it('keeps five a second per message without holding up the others', async () => {
    const { api } = newOpenApi({ turnMs: 0 });
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => patch(api, 'om_hot')));
    assert.equal(results.filter((result) => result.status === 'fulfilled').length, 5);
    await patch(api, 'om_calm');
    assert.equal(others().length, 6);
  });
});

describe('tenant token', () => {
  it('is fetched once for twenty calls at once, with the credentials in the body', async () => {
    const { api, app } = newOpenApi();
    await Promise.all(Array.from({ length: 20 }, (_, index) => patch(api, `om_${index}`)));
    assert.equal(tokenCalls(), 1);
    assert.equal(others().length, 20);
    const asked = server.asked.find((one) => one.url === TOKEN_PATH);
    assert.deepEqual(JSON.parse(asked?.body ?? ''), { app_id: app.appId, app_secret: APP_SECRET });
  });

  for (const code of [99991661, 99991663, 99991664, 99991668]) {
    it(`is fetched once more, and each call repeated once, when twenty calls get ${code}`, async () => {
      // Half of the refusals come when the new token is long there.
      let refusals = 0;
      onCall = (asked) => {
        if (bearerOf(asked) !== 't-1') return ok({});
        refusals += 1;
        return late({ status: 400, json: { code } }, refusals % 2 === 0 ? 100 : 0);
      };
      const { api } = newOpenApi();
      await Promise.all(Array.from({ length: 20 }, (_, index) => patch(api, `om_${index}`)));
      assert.equal(tokenCalls(), 2);
      assert.ok(others().length <= 40);
    });
  }

  it('is not fetched again and again when the new one is refused as well', async () => {
    onCall = () => ({ status: 400, json: { code: 99991663 } });
    const { api } = newOpenApi();
    const error = await failure(patch(api));
    assert.equal(error.kind, 'transient');
    assert.equal(error.feishuCode, 99991663);
    assert.equal(tokenCalls(), 2);
    assert.equal(others().length, 2);
  });

  it('is kept until less than 30 minutes remain, then renewed beside the calls', async () => {
    const { api, app } = newOpenApi();
    await patch(api);
    nowMs += 5_400_000;
    await patch(api);
    assert.equal(tokenCalls(), 1, 'Feishu would give the same one again');
    nowMs += 10_000;
    await patch(api);
    assert.equal(bearerOf(others().at(-1)), 't-1', 'the old one is good and nobody waits');
    await api.checkCredentials();
    const fetched = () => parts.log.lines.filter((line) => line['app_id'] === app.appId && isTokenCall(line));
    await parts.log.find(() => fetched().length === 2);
    await new Promise(setImmediate);
    await patch(api);
    await patch(api);
    assert.equal(bearerOf(others().at(-1)), 't-2');
    assert.equal(tokenCalls(), 2);
  });

  it('is used while it lives when the renewal fails', async () => {
    const { api } = newOpenApi();
    await patch(api);
    nowMs += 6_000_000;
    onToken = () => ({ status: 502, text: 'bad gateway' });
    await patch(api);
    await patch(api);
    assert.equal(bearerOf(others().at(-1)), 't-1');
    nowMs += 1_200_000;
    assert.equal((await failure(patch(api))).api, 'auth.tenant_access_token');
  });

  for (const expire of [undefined, null, 'soon', 0, -1, 60, '7200', 1e12]) {
    it(`is neither fetched each time nor kept for ever when expire is ${String(expire)}`, async () => {
      onToken = () => token(expire);
      const { api } = newOpenApi();
      await patch(api);
      await patch(api);
      assert.equal(tokenCalls(), 1);
      nowMs += 7_200_000;
      await patch(api);
      assert.equal(tokenCalls(), 2);
    });
  }

  it('is asked for once while it cannot be had, and again soon after', async () => {
    onToken = () => ({ status: 500, text: 'oops' });
    const { api } = newOpenApi();
    const errors = await Promise.all(Array.from({ length: 10 }, () => failure(patch(api))));
    assert.ok(errors.every((error) => error.kind === 'transient'));
    await failure(patch(api));
    assert.equal(tokenCalls(), 1);
    assert.equal(others().length, 0);
    onToken = () => token(7_200);
    nowMs += 1_000;
    await patch(api);
  });

  it('waits as long as Feishu says after a 429', async () => {
    onToken = () => ({ status: 429, headers: { 'x-ogw-ratelimit-reset': '30' }, json: { code: 99991400 } });
    const { api } = newOpenApi();
    const error = await failure(patch(api));
    assert.equal(error.kind, 'rate_limited');
    assert.equal(error.retryAfterMs, 30_000);
    nowMs += 29_000;
    await failure(patch(api));
    assert.equal(tokenCalls(), 1);
    nowMs += 1_001;
    onToken = () => token(7_200);
    await patch(api);
  });

  it('ends at its own deadline when the endpoint hangs', async () => {
    onToken = () => hang;
    const { api } = newOpenApi({ tenantTokenMs: 60 });
    assert.match((await failure(patch(api))).message, /no reply within 60 ms/);
  });

  for (const code of [10003, 10014, 10015, 99991543]) {
    it(`says what to do about refused credentials (${code}, HTTP 200) and takes no second try for a while`, async () => {
      onToken = () => ({ json: { code, msg: 'app secret invalid' } });
      const { api } = newOpenApi();
      const error = await failure(api.checkCredentials());
      assert.equal(error.kind, 'refused');
      assert.equal(error.meaning, 'misconfigured');
      assert.match(error.remedy, /FEISHU_APP_SECRET/);
      assert.equal(error.for, 'operator');
      nowMs += 9_000;
      await failure(api.checkCredentials());
      assert.equal(tokenCalls(), 1);
    });
  }
});

describe('user_info', () => {
  it("goes out with the user's token, and a dead tenant token is no matter", async () => {
    onToken = () => hang;
    onCall = () => ok({ open_id: 'ou_1', union_id: 'on_1', tenant_key: 'tk', name: 'Li' });
    const { api } = newOpenApi();
    const who = await api.userInfo('eyJ-sentinel-user-token');
    assert.equal(who.openId, 'ou_1');
    assert.equal(bearerOf(others().at(-1)), 'eyJ-sentinel-user-token');
    assert.equal(tokenCalls(), 0);
  });

  it('does not drop the tenant token when the user token is refused', async () => {
    const { api } = newOpenApi();
    await patch(api);
    onCall = () => ({ status: 401, json: { code: 99991668 } });
    assert.equal((await failure(api.userInfo('eyJ-sentinel-user-token'))).meaning, 'token_invalid');
    assert.equal(others().length, 2);
    onCall = () => ok({});
    await patch(api);
    assert.equal(tokenCalls(), 1);
  });
});

describe("the app's name", () => {
  it('is asked for once and remembered', async () => {
    onCall = () => ok({ app: { app_name: '审批助手' } });
    const { api, app } = newOpenApi();
    assert.deepEqual(await Promise.all([api.appName(), api.appName()]), ['审批助手', '审批助手']);
    assert.equal(await api.appName(), '审批助手');
    assert.deepEqual(
      others().map((asked) => asked.url),
      [`/open-apis/application/v6/applications/${app.appId}?lang=zh_cn`],
    );
  });

  it('is null when Feishu does not tell, and not asked for again at once', async () => {
    onCall = () => ({ status: 400, json: { code: 99991672 } });
    const { api } = newOpenApi();
    assert.equal(await api.appName(), null);
    assert.equal(await api.appName(), null);
    assert.equal(others().length, 1);
    onCall = () => ok({ app: { app_name: 'Later' } });
    nowMs += 600_001;
    assert.equal(await api.appName(), 'Later');
  });

  it('keeps nobody waiting when Feishu hangs', async () => {
    onToken = () => hang;
    const { api } = newOpenApi({ appNameMs: 50, tenantTokenMs: 3_000 });
    const startedAt = performance.now();
    assert.equal(await api.appName(), null);
    assert.ok(performance.now() - startedAt < 2_000);
  });

  it('stays known when a later look fails', async () => {
    onCall = () => ok({ app: { app_name: 'Known' } });
    const { api } = newOpenApi();
    await api.appName();
    nowMs += 7 * 3_600_000;
    onCall = () => ({ status: 500, text: 'oops' });
    assert.equal(await api.appName(), 'Known');
  });
});

describe('everything the client has logged', () => {
  it('holds no token and no secret', () => {
    assert.ok(parts.log.lines.length > 100);
    assert.doesNotMatch(parts.log.text(), /sentinel|t-\d|Bearer/);
  });
});
