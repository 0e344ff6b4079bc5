/**
 * HTTP callbacks from the socket to the flow and back: what is Feishu's is taken once, what is not changes nothing and
 * learns nothing. FEISHU.md §3, issue 5; real HTTP, real encryption, a real Redis.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import {
  APP,
  type CardCallbackOptions,
  type CardCallbackProcess,
  KEY,
  newCardCallbackProcess,
  OTHER_APP,
  OTHER_KEY,
  SOCKET_APP,
  TOKEN,
} from '../support/card-callbacks.js';
import { newRedisServer, type RedisServer } from '../support/redis-server.js';
import { type CallbackChange, type SignedCallback, signedCallback } from '../support/signed-callback.js';

const CARD = { card: { type: 'raw' as const, data: { schema: '2.0', body: { elements: [] } } } };

const header = (type: string): Record<string, string> => ({
  event_id: randomUUID(),
  event_type: type,
  create_time: `${Date.now()}000`,
  token: TOKEN,
  app_id: APP,
  tenant_key: 'tenant',
});

const clickEnvelope = (value: unknown = { action: 'authorize', session_id: 'session-1' }) => ({
  schema: '2.0',
  header: header('card.action.trigger'),
  event: {
    operator: { open_id: 'ou_1' },
    token: 'c-token-of-the-card',
    action: { value, tag: 'button' },
    host: 'im_message',
    context: { open_message_id: 'om_1', open_chat_id: 'oc_1' },
  },
});

const leftEnvelope = () => ({
  schema: '2.0',
  header: header('contact.user.deleted_v3'),
  event: { object: { open_id: 'ou_1', name: '李华' } },
});

const question = (more: object = {}) => ({ type: 'url_verification', token: TOKEN, challenge: '挑战 "1"', ...more });

const click = (change?: CallbackChange): SignedCallback => signedCallback(KEY, clickEnvelope(), change);

const secondsFromNow = (seconds: number): string => String(Math.floor(Date.now() / 1000) + seconds);

describe('HTTP callbacks', { concurrency: true }, () => {
  let redis: RedisServer;
  const processes: CardCallbackProcess[] = [];

  before(async () => {
    redis = await newRedisServer();
  });
  after(async () => {
    for (const each of processes) await each.close();
    await redis.close();
  });

  async function start(options: Partial<CardCallbackOptions> = {}): Promise<CardCallbackProcess> {
    const started = await newCardCallbackProcess({ redisUrl: redis.url, keyPrefix: randomUUID(), ...options });
    processes.push(started);
    return started;
  }

  /** It was refused like everything else that is not Feishu's, and the log says why. */
  async function assertRefused(call: SignedCallback, reason: string, appId = APP): Promise<void> {
    const process = await start();
    const answer = await process.post(call, appId);
    assert.deepEqual(answer, { status: 401, type: null, text: '' });
    assert.deepEqual([process.clicks, process.events], [[], []]);
    const lines = process.log.of('callback.refused').map((line) => [line['app_id'], line['reason']]);
    assert.deepEqual(lines, [[appId, reason]]);
    assert.deepEqual(process.counted, [{ type: null, result: 'malformed' }]);
    for (const secret of [KEY, OTHER_KEY, TOKEN, 'session-1']) assert.ok(!process.log.text().includes(secret));
  }

  it('hands a click on and answers with what comes of it', async () => {
    const process = await start({ click: async () => CARD });
    const answer = await process.post(click());
    assert.deepEqual(answer, { status: 200, type: 'application/json; charset=utf-8', text: JSON.stringify(CARD) });
    const [{ action, appId, messageId, openId, sessionId } = assert.fail('no click')] = process.clicks;
    assert.deepEqual([action, sessionId, openId, messageId, appId], ['authorize', 'session-1', 'ou_1', 'om_1', APP]);
    assert.deepEqual(process.counted, [{ type: 'card.action.trigger', result: 'answered' }]);
  });

  it('takes a plain content type too, and a body that JSON would be written otherwise', async () => {
    const process = await start();
    const genuine = click();
    const spaced = genuine.body.replace('{"encrypt":', '{ "encrypt" :\t').replaceAll('/', '\\/');
    const call = signedCallback(KEY, null, { body: spaced });
    const answer = await process.post({ ...call, headers: { ...call.headers, 'content-type': 'application/json' } });
    assert.deepEqual([answer.status, answer.text, process.clicks.length], [200, '{}', 1]);
  });

  it('answers a click that is no action of ours with an object', async () => {
    const process = await start();
    const answer = await process.post(signedCallback(KEY, clickEnvelope('from another bot')));
    assert.deepEqual([answer.status, answer.text], [200, '{"toast":{"type":"error"}}']);
  });

  it('takes each app at its own address, with its own key', async () => {
    const process = await start();
    const envelope = { ...leftEnvelope(), header: { ...header('contact.user.deleted_v3'), app_id: OTHER_APP } };
    assert.equal((await process.post(signedCallback(OTHER_KEY, envelope), OTHER_APP)).status, 200);
    assert.equal(process.events.length, 1);
  });

  it('answers an event it does not know with an empty object', async () => {
    const process = await start();
    const foreign = { ...leftEnvelope(), header: header('im.message.receive_v1') };
    const answer = await process.post(signedCallback(KEY, foreign));
    assert.deepEqual([answer.status, answer.text, process.events.length], [200, '{}', 0]);
  });

  it('records an event; asks for it again when that fails, and takes the very same request then', async () => {
    let fails = true;
    const process = await start({
      event: async () => {
        if (fails) throw new Error('not now');
      },
    });
    const call = signedCallback(KEY, leftEnvelope());
    assert.deepEqual(await process.post(call), { status: 500, type: null, text: '' });
    assert.equal(process.log.of('callback.not_accepted').length, 1);
    fails = false;
    // What was not accepted is forgotten beside the answer.
    let again = await process.post(call);
    for (const end = Date.now() + 2_000; again.status === 401 && Date.now() < end; ) again = await process.post(call);
    assert.deepEqual([again.status, again.text, process.events.length], [200, '{}', 1]);
    assert.equal((await process.post(call)).status, 401);
    assert.equal(process.events.length, 1);
  });

  describe('refuses', { concurrency: true }, () => {
    it('a signature that is not right', () => assertRefused(click({ signature: '0'.repeat(64) }), 'bad_signature'));
    it('an empty signature', () => assertRefused(click({ signature: '' }), 'bad_signature'));
    it('a signature in other letters', () => {
      const { body, headers } = click();
      const signature = headers['x-lark-signature']?.toUpperCase() ?? '';
      return assertRefused({ body, headers: { ...headers, 'x-lark-signature': signature } }, 'bad_signature');
    });
    it('a body that was changed', () => {
      const { body, headers } = click();
      return assertRefused({ body: body.replace('{"encrypt"', '{ "encrypt"'), headers }, 'bad_signature');
    });
    it('another nonce', () => {
      const { body, headers } = click();
      return assertRefused({ body, headers: { ...headers, 'x-lark-request-nonce': 'other' } }, 'bad_signature');
    });
    it('another timestamp', () => {
      const { body, headers } = click();
      const later = secondsFromNow(1);
      return assertRefused({ body, headers: { ...headers, 'x-lark-request-timestamp': later } }, 'bad_signature');
    });
    it('digits moved between timestamp and nonce', async () => {
      const { body, headers } = click({ nonce: '123abc' });
      const moved = {
        'x-lark-request-timestamp': `${headers['x-lark-request-timestamp']}123`,
        'x-lark-request-nonce': 'abc',
      };
      await assertRefused({ body, headers: { ...headers, ...moved } }, 'bad_signature');
    });
    it('a signature made with another key', () => assertRefused(click({ encryptKey: OTHER_KEY }), 'bad_signature'));
    it('a click without a signature, though our key opens it', () => {
      return assertRefused(click({ signature: null }), 'unsigned');
    });
    it('a timestamp in milliseconds', () => assertRefused(click({ timestamp: String(Date.now()) }), 'bad_signature'));
    it('what was signed long ago', () => assertRefused(click({ timestamp: secondsFromNow(-330) }), 'stale'));
    it('what is signed for the future', () => assertRefused(click({ timestamp: secondsFromNow(330) }), 'stale'));
    it('what is signed and not encrypted', () => {
      return assertRefused(click({ body: JSON.stringify(clickEnvelope()) }), 'unencrypted');
    });
    it('what is signed and no JSON', () => assertRefused(click({ body: '{"encrypt": ' }), 'malformed'));
    it('what is signed and a list', () => assertRefused(click({ body: '[]' }), 'malformed'));
    it('nothing at all', () => assertRefused(click({ body: '' }), 'malformed'));
    it('what is signed and encrypted with another key', () => {
      return assertRefused(click({ body: click({ encryptKey: OTHER_KEY }).body }), 'undecryptable');
    });
    it('what is signed and encrypted garbage', () => {
      return assertRefused(click({ body: '{"encrypt":"AAAA"}' }), 'undecryptable');
    });
    it('another verification token, or none', async () => {
      for (const token of ['another', undefined]) {
        const envelope = { ...clickEnvelope(), header: { ...header('card.action.trigger'), token } };
        await assertRefused(signedCallback(KEY, envelope), 'bad_token');
      }
    });
    it('an envelope of another app', () => {
      const envelope = { ...clickEnvelope(), header: { ...header('card.action.trigger'), app_id: OTHER_APP } };
      return assertRefused(signedCallback(KEY, envelope), 'wrong_app');
    });
    it('a callback of one app at the address of another', () => assertRefused(click(), 'bad_signature', OTHER_APP));
  });

  it('says a refusal that repeats only once, with the clock as the likely cause', async () => {
    const process = await start();
    for (let i = 0; i < 5; i += 1) await process.post(click({ timestamp: secondsFromNow(-3_600) }));
    const lines = process.log.of('callback.refused');
    assert.equal(lines.length, 1);
    assert.match(lines[0]?.msg ?? '', /clock/);
  });

  it('takes a request once, whichever process it reaches', async () => {
    const keyPrefix = randomUUID();
    const [one, two] = await Promise.all([start({ keyPrefix }), start({ keyPrefix })]);
    const call = click();
    const answers = await Promise.all([one, two, one, two].map(async (process) => (await process.post(call)).status));
    assert.deepEqual(answers.toSorted(), [200, 401, 401, 401]);
    assert.equal(one.clicks.length + two.clicks.length, 1);
    assert.equal((await two.post(call)).status, 401);
    const reasons = [one, two].flatMap(({ log }) => log.of('callback.refused').map((line) => line['reason']));
    assert.deepEqual([...new Set(reasons)], ['replayed']);
    // Longer than the window on both sides of its time, and not for ever.
    const [key = ''] = await redis.client.keys(`${keyPrefix}:{${APP}}:callback:*`);
    const lifeMs = await redis.client.pttl(key);
    assert.ok(lifeMs > 590_000 && lifeMs <= 600_000, String(lifeMs));
  });

  it('takes the same event again under a signature of its own', async () => {
    const process = await start();
    const envelope = leftEnvelope();
    for (let i = 0; i < 2; i += 1) assert.equal((await process.post(signedCallback(KEY, envelope))).status, 200);
    assert.equal(process.events.length, 2);
  });

  it('knows no app that has a long connection, and none that it has not been told of', async () => {
    const process = await start();
    for (const appId of [SOCKET_APP, 'cli_ffffffffffffffff', '__proto__']) {
      assert.deepEqual(await process.post(click(), appId), { status: 404, type: null, text: '' });
    }
    assert.deepEqual([process.clicks, process.log.lines], [[], []]);
  });

  it('reads no more than anything Feishu sends, told of the length or not', async () => {
    const process = await start();
    const huge = click({ body: `{"encrypt":"${'A'.repeat(262_144)}"}` });
    assert.deepEqual(await process.post(huge), { status: 413, type: null, text: '' });
    const socket = process.socket();
    const head = [`POST /callback/cards/${APP} HTTP/1.1`, 'Host: x', 'Content-Type: application/json'];
    socket.write(`${[...head, 'Transfer-Encoding: chunked'].join('\r\n')}\r\n\r\n`);
    socket.on('error', () => undefined);
    const chunk = `10000\r\n${'A'.repeat(65_536)}\r\n`;
    for (let i = 0; i < 5; i += 1) socket.write(chunk);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    assert.match(answer.toString(), /^HTTP\/1\.1 413 /);
    assert.deepEqual(
      process.log.of('callback.refused').map((line) => line['reason']),
      ['too_large'],
    );
  });

  it('takes no other content type', async () => {
    const process = await start();
    const { body, headers } = click();
    const answer = await process.post({ body, headers: { ...headers, 'content-type': 'text/plain' } });
    assert.deepEqual([answer.status, answer.text, process.clicks.length], [415, '', 0]);
  });

  describe('the question of the console', { concurrency: true }, () => {
    const asked = { status: 200, type: 'application/json; charset=utf-8', text: '{"challenge":"挑战 \\"1\\""}' };

    it('is answered without a signature, as the console asks it', async () => {
      const process = await start();
      const startedAt = performance.now();
      assert.deepEqual(await process.post(signedCallback(KEY, question(), { signature: null })), asked);
      assert.ok(performance.now() - startedAt < 1_000);
      assert.deepEqual(process.counted, []);
    });
    it('is answered with one, as often as it is asked', async () => {
      const process = await start();
      const call = signedCallback(KEY, question());
      for (let i = 0; i < 2; i += 1) assert.deepEqual(await process.post(call), asked);
    });
    it('is not answered when it is not encrypted: the app has no Encrypt Key then', () => {
      return assertRefused(click({ body: JSON.stringify(question()), signature: null }), 'unencrypted');
    });
    it('is not answered under another key', () => {
      return assertRefused(
        signedCallback(KEY, question(), { encryptKey: OTHER_KEY, signature: null }),
        'undecryptable',
      );
    });
    it('is not answered with another token', () => {
      return assertRefused(signedCallback(KEY, question({ token: 'x' }), { signature: null }), 'bad_token');
    });
    it('is not answered when there is no challenge in it, or too much of it', async () => {
      for (const challenge of [{ a: 1 }, undefined, 'x'.repeat(1_100), 'x'.repeat(5_000)]) {
        await assertRefused(signedCallback(KEY, question({ challenge }), { signature: null }), 'unsigned');
      }
    });
  });

  it('does not keep a click waiting for a Redis that hangs', async () => {
    const hung = await newRedisServer();
    try {
      const process = await start({ redisUrl: hung.url });
      assert.equal((await process.post(click())).status, 200);
      hung.freeze();
      const startedAt = performance.now();
      assert.equal((await process.post(click())).status, 200);
      assert.ok(performance.now() - startedAt < 700);
      assert.equal(process.clicks.length, 2);
    } finally {
      hung.thaw();
      await hung.close();
    }
  });

  it('has Feishu send an event again that takes too long to record', async () => {
    const process = await start({ event: () => new Promise((resolve) => setTimeout(resolve, 30_000).unref()) });
    const startedAt = performance.now();
    assert.deepEqual(await process.post(signedCallback(KEY, leftEnvelope())), { status: 500, type: null, text: '' });
    assert.ok(performance.now() - startedAt < 3_000);
    assert.match(process.log.of('callback.not_accepted')[0]?.msg ?? '', /in time/);
  });

  it('knows whether the answer to a click has reached Feishu', async () => {
    const process = await start({
      async click(_action, link) {
        const known = [link.isOpen()];
        links.push(known);
        setTimeout(() => known.push(link.isOpen()), 300).unref();
        await new Promise((resolve) => setTimeout(resolve, 200));
        return CARD;
      },
    });
    const links: boolean[][] = [];
    const { body, headers } = click();
    const socket = process.socket();
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const head = [`POST /callback/cards/${APP} HTTP/1.1`, 'Host: x', ...lines, `Content-Length: ${body.length}`];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    while (links.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    socket.destroy();
    await process.post(click());
    while (links.some((known) => known.length < 2)) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(links, [
      [true, false],
      [true, true],
    ]);
  });
});
