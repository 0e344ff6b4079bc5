/**
 * What reaches the callback address and is not Feishu's changes nothing and learns nothing, and the log says why; the
 * console's question alone is answered without a signature. FEISHU.md §3, issue 5.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import {
  APP,
  type CardCallbackProcess,
  click,
  clickEnvelope,
  header,
  KEY,
  newCardCallbackProcess,
  OTHER_APP,
  OTHER_KEY,
  type SignedCallback,
  secondsFromNow,
  signed,
  TOKEN,
} from '../support/card-callbacks.js';
import { inTime } from '../support/in-time.js';
import { newRedisServer, type RedisServer } from '../support/redis-server.js';

const question = (more: object = {}) => ({ type: 'url_verification', token: TOKEN, challenge: '挑战 "1"', ...more });

/** As the console asks: without any header of a signature. */
const asked = (envelope: unknown, encryptKey?: string): SignedCallback => ({
  body: signed(envelope, encryptKey === undefined ? {} : { encryptKey }).body,
  headers: { 'content-type': 'application/json;charset=utf-8' },
});

describe('the callback address', { concurrency: true }, () => {
  let redis: RedisServer;
  const processes: CardCallbackProcess[] = [];

  before(async () => {
    redis = await newRedisServer();
  });
  after(async () => {
    for (const each of processes) await each.close();
    await redis.close();
  });

  async function start(): Promise<CardCallbackProcess> {
    const started = await newCardCallbackProcess({ redisUrl: redis.url, keyPrefix: randomUUID() });
    processes.push(started);
    return started;
  }

  /** It was refused like everything else that is not Feishu's, and the log says why. */
  async function assertRefused(call: SignedCallback, reason: string, appId = APP): Promise<void> {
    const process = await start();
    const answer = await process.post(call, appId);
    assert.deepEqual(answer, { status: 401, type: null, text: '' });
    assert.deepEqual([process.clicks, process.events], [[], []]);
    const lines = process.log.of('callback.refused').map((line) => [line['app_id'], line['why']]);
    assert.deepEqual(lines, [[appId, reason]]);
    assert.deepEqual(process.counted, [{ type: null, result: 'malformed' }]);
    for (const secret of [KEY, OTHER_KEY, TOKEN, 'session-1']) assert.ok(!process.log.text().includes(secret));
  }

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
        await assertRefused(signed(envelope), 'bad_token');
      }
    });
    it('an envelope of another app', () => {
      const envelope = { ...clickEnvelope(), header: { ...header('card.action.trigger'), app_id: OTHER_APP } };
      return assertRefused(signed(envelope), 'wrong_app');
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

  describe('the question of the console', { concurrency: true }, () => {
    const answered = { status: 200, type: 'application/json; charset=utf-8', text: '{"challenge":"挑战 \\"1\\""}' };

    it('is answered without a signature, as the console asks it', async () => {
      const process = await start();
      await inTime(1_000, async () => assert.deepEqual(await process.post(asked(question())), answered));
      assert.deepEqual(process.counted, []);
    });
    it('is answered with one, as often as it is asked', async () => {
      const process = await start();
      const call = signed(question());
      for (let i = 0; i < 2; i += 1) assert.deepEqual(await process.post(call), answered);
    });
    it('is not answered when it is not encrypted: the app has no Encrypt Key then', () => {
      return assertRefused({ ...asked(null), body: JSON.stringify(question()) }, 'unencrypted');
    });
    it('is not answered under another key', () => {
      return assertRefused(asked(question(), OTHER_KEY), 'undecryptable');
    });
    it('is not answered with another token', () => {
      return assertRefused(asked(question({ token: 'x' })), 'bad_token');
    });
    it('is not answered when there is no challenge in it, or too much beside it', async () => {
      for (const challenge of [{ a: 1 }, undefined, 'x'.repeat(1_100)]) {
        await assertRefused(asked(question({ challenge })), 'unsigned');
      }
      await assertRefused(asked(question({ more: 'x'.repeat(4_096) })), 'unsigned');
    });
  });
});
