import assert from 'node:assert/strict';
import { createDecipheriv, createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { connectRaw } from '../support/raw-client.js';
import { type Scene, startScene } from '../support/scene.js';
import { card } from '../support/sdk-client.js';
import { type Posted, sdkWebhook, type WebhookServer, webhookServer } from '../support/webhook-server.js';
import { signatureOf } from './webhook-request.js';

const KEY = 'the encrypt key 密钥';

describe('pushes by HTTP', () => {
  let scene: Scene;
  let messageId: string;
  const servers: WebhookServer[] = [];

  const serve = async (answer: (posted: Posted, response: ServerResponse) => void): Promise<WebhookServer> => {
    const server = await webhookServer(answer);
    servers.push(server);
    return server;
  };
  const sdk = async (...options: Parameters<typeof sdkWebhook>): Promise<WebhookServer> => {
    const server = await sdkWebhook(...options);
    servers.push(server);
    return server;
  };
  const configure = (change: Parameters<Scene['simulator']['changeApp']>[1]) =>
    scene.simulator.changeApp(scene.app.appId, change);
  const click = (more: Partial<Parameters<Scene['simulator']['click']>[0]> = {}) =>
    scene.simulator.click({ messageId, user: scene.user, value: { a: 1 }, ...more });
  const opened = (posted: Posted | undefined): Record<string, unknown> => {
    const bytes = Buffer.from((JSON.parse(posted?.body ?? '') as { encrypt: string }).encrypt, 'base64');
    const key = createHash('sha256').update(KEY).digest();
    const decipher = createDecipheriv('aes-256-cbc', key, bytes.subarray(0, 16));
    const plain = Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()]).toString('utf8');
    return JSON.parse(plain) as Record<string, unknown>;
  };
  const answering = (status: number, body: string, headers: Record<string, string> = {}) =>
    serve((_, response) => response.writeHead(status, headers).end(body));

  /** Patient, for a machine that is busy; a test that waits for silence has its scene anew, with less patience. */
  const begin = async (ackTimeoutMs = 5_000): Promise<void> => {
    scene = await startScene({ limits: { ackTimeoutMs, connectTimeoutMs: 5_000 }, redeliveryScheduleMs: [20, 20] });
    messageId = await scene.sendCard();
  };

  beforeEach(() => begin());

  afterEach(async () => {
    await scene.simulator.close();
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });

  describe('of clicks', () => {
    it('carry the envelope in the open and unsigned without an Encrypt Key, and no connection is asked', async () => {
      const connection = await connectRaw(scene.simulator, scene.app);
      const server = await answering(200, '');
      configure({ callbackUrl: server.url, verificationToken: 'vt' });
      const seen = await click();
      assert.deepEqual([seen.errorCode, seen.ackCode], [undefined, 200]);
      const [posted] = server.posted;
      const body = JSON.parse(posted?.body ?? '') as { header: Record<string, string>; event: { action: unknown } };
      assert.deepEqual(
        [body.header['event_type'], body.header['token'], body.header['event_id']],
        ['card.action.trigger', 'vt', seen.eventId],
      );
      assert.deepEqual(body.event.action, { value: { a: 1 }, tag: 'button' });
      assert.equal(posted?.headers['content-type'], 'application/json; charset=utf-8');
      assert.match(String(posted?.headers['x-lark-request-timestamp']), /^\d{10}$/);
      assert.equal(posted?.headers['x-lark-signature'], undefined);
      assert.equal(connection.frames.length, 0);
      configure({ callbackUrl: undefined });
      const byConnection = click();
      connection.ack(await connection.next());
      assert.equal((await byConnection).errorCode, undefined);
      assert.equal(connection.frames.length, 1);
    });

    it('are encrypted and signed over the raw body with an Encrypt Key', async () => {
      const server = await answering(200, '{}');
      configure({ callbackUrl: server.url, encryptKey: KEY });
      await click();
      const [posted] = server.posted;
      const { 'x-lark-request-timestamp': timestamp, 'x-lark-request-nonce': nonce } = posted?.headers ?? {};
      const signed = `${String(timestamp)}${String(nonce)}${KEY}${posted?.body}`;
      assert.equal(posted?.headers['x-lark-signature'], createHash('sha256').update(signed).digest('hex'));
      assert.deepEqual(Object.keys(JSON.parse(posted?.body ?? '') as object), ['encrypt']);
      assert.equal(opened(posted)['schema'], '2.0');
      assert.ok(scene.simulator.secrets(['encrypt_key']).includes(KEY));
    });

    it('pass the checks of the official SDK, and show what its handler answers', async () => {
      const handled: unknown[] = [];
      const handlers = {
        'card.action.trigger': (data: unknown) => {
          handled.push((data as { action: { value: unknown } }).action.value);
          return { toast: { type: 'success', content: '好' }, card: { type: 'raw', data: card('new') } };
        },
      };
      for (const keys of [{}, { encryptKey: KEY, verificationToken: 'vt' }]) {
        const server = await sdk(keys, handlers);
        configure({ callbackUrl: server.url, encryptKey: undefined, ...keys });
        const seen = await click();
        assert.deepEqual([seen.errorCode, seen.toastText, seen.card], [undefined, '好', card('new')]);
      }
      assert.deepEqual(handled, [{ a: 1 }, { a: 1 }]);
    });

    it('can be forged, stale, altered or replayed, and the SDK tells those it looks at', async () => {
      let handled = 0;
      const handle = (): void => {
        handled += 1;
      };
      const server = await sdk({ encryptKey: KEY }, { 'card.action.trigger': handle });
      configure({ callbackUrl: server.url, encryptKey: KEY });
      await click({ http: { signature: 'f'.repeat(64) } });
      await click({ http: { signature: null } });
      assert.equal(handled, 0);
      const genuine = await click({ http: { timestamp: '1000000000', nonce: 'n' } });
      const { headers = {}, body = '' } = genuine.request ?? {};
      assert.deepEqual([headers['x-lark-request-timestamp'], headers['x-lark-request-nonce']], ['1000000000', 'n']);
      assert.equal(headers['x-lark-signature'], signatureOf('1000000000', 'n', KEY, body));
      assert.equal(handled, 1);
      const again = await click({ http: genuine.request ? { replayOf: genuine.request } : {} });
      assert.deepEqual([again.request, handled], [genuine.request, 2]);
      assert.equal((await click({ http: { body: '{"encrypt":"AAAA"}' } })).errorCode, 200671);
    });

    it('end with the code the client shows for each bad answer', async () => {
      const shown = async (status: number, body: string, headers: Record<string, string> = {}) => {
        configure({ callbackUrl: (await answering(status, body, headers)).url });
        return (await click()).errorCode;
      };
      assert.equal(await shown(200, '{"toast":{"content":"x"}}'), undefined);
      assert.equal(await shown(201, ''), 200671);
      assert.equal(await shown(500, '{}'), 200671);
      const elsewhere = await answering(200, '');
      assert.equal(await shown(302, '', { location: elsewhere.url }), 200671);
      assert.equal(elsewhere.posted.length, 0);
      for (const body of ['ok', '[]', 'null', '"x"', '{"msg":"ok"}'])
        assert.equal(await shown(200, body), 200672, body);
      assert.equal(await shown(200, JSON.stringify({ card: { type: 'raw', data: { schema: '2.0' } } })), 200673);
      const old = { config: {}, elements: [{ tag: 'div', text: { tag: 'plain_text', content: 'x' } }] };
      assert.equal(await shown(200, JSON.stringify({ card: { type: 'raw', data: old } })), 200830);
    });

    it('end when nothing answers in time; never a second time', async () => {
      await scene.simulator.close();
      await begin(1_000);
      const silent = await serve(() => undefined);
      configure({ callbackUrl: silent.url });
      const late = await click();
      assert.equal(late.errorCode, 200341);
      assert.ok(late.tookMs >= 995 && late.tookMs < 10_000, String(late.tookMs));
      assert.equal(silent.posted.length, 1);
    });

    it('end when nobody listens, or the name does not resolve', async () => {
      const gone = await answering(200, '');
      await gone.close();
      configure({ callbackUrl: gone.url });
      assert.equal((await click()).errorCode, 200342);
      configure({ callbackUrl: 'http://no-such-host.invalid/webhook' });
      assert.equal((await click()).errorCode, 200343);
      const cutter = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
      await new Promise<void>((resolve) => cutter.listen(0, '127.0.0.1', resolve));
      const { port } = cutter.address() as { port: number };
      configure({ callbackUrl: `http://127.0.0.1:${port}/` });
      assert.equal((await click()).errorCode, 200342);
      cutter.close();
    });

    it('come twice with the same body under "duplicate"; frames do not matter to them', async () => {
      const server = await answering(200, '');
      configure({ callbackUrl: server.url, encryptKey: KEY });
      const fragment = scene.simulator.faults.add({ on: 'delivery', kind: 'fragment', parts: 2 });
      scene.simulator.faults.add({ on: 'delivery', kind: 'duplicate', copies: 2, times: 1 });
      await click();
      await scene.simulator.until(() => server.posted.length === 2);
      const [first, second] = server.posted;
      assert.equal(first?.body, second?.body);
      assert.notEqual(first?.headers['x-lark-signature'], second?.headers['x-lark-signature']);
      assert.equal(fragment.fired, 0);
    });

    it('do not keep a closing simulator waiting', async () => {
      await scene.simulator.close();
      await begin(30_000);
      configure({ callbackUrl: (await serve(() => void scene.simulator.close())).url });
      const seen = await click();
      assert.equal(seen.errorCode, 200341);
      assert.ok(seen.tookMs < 15_000, String(seen.tookMs));
    });
  });

  describe('of events', () => {
    const push = () =>
      scene.simulator.pushEvent(
        scene.app.appId,
        scene.simulator.envelope(scene.app.appId, 'im.message.receive_v1', { message: {} }),
      );

    it('go to the event address, until it answers 200', async () => {
      const statuses = [500, 302, 200];
      const server = await serve((_, response) => response.writeHead(statuses.shift() ?? 500).end('whatever'));
      configure({ eventUrl: server.url, callbackUrl: 'http://127.0.0.1:1/', encryptKey: KEY });
      const { delivered, attempts } = await push().done;
      assert.deepEqual([delivered, attempts.length], [true, 3]);
      const ids = server.posted.map((posted) => (opened(posted)['header'] as { event_id: string }).event_id);
      assert.equal(new Set(ids).size, 1);
      assert.equal(new Set(server.posted.map(({ body }) => body)).size, 3);
    });

    it('are given up when the schedule is over', async () => {
      const server = await answering(500, '');
      configure({ eventUrl: server.url });
      assert.equal((await push().done).delivered, false);
      assert.equal(server.posted.length, 3);
    });

    it('reach handlers of the official SDK', async () => {
      const types: unknown[] = [];
      const server = await sdk(
        { encryptKey: KEY },
        { 'im.message.receive_v1': (data) => void types.push((data as { event_type: string }).event_type) },
      );
      configure({ eventUrl: server.url, encryptKey: KEY });
      assert.equal((await push().done).delivered, true);
      assert.deepEqual(types, ['im.message.receive_v1']);
    });
  });

  describe('of the console', () => {
    it('verify an address, encrypted or not, against the official SDK', async () => {
      for (const keys of [{}, { encryptKey: KEY }]) {
        const server = await sdk(keys, {});
        configure({ callbackUrl: server.url, eventUrl: server.url, encryptKey: undefined, ...keys });
        assert.equal((await scene.simulator.verifyCallbackUrl(scene.app.appId)).ok, true);
        assert.equal((await scene.simulator.verifyEventUrl(scene.app.appId)).ok, true);
      }
    });

    it('send challenge, token and type, and refuse every other answer with the reason', async () => {
      await scene.simulator.close();
      await begin(1_000);
      const refused = async (answer: (posted: Posted, response: ServerResponse) => void) => {
        const server = await serve(answer);
        configure({ callbackUrl: server.url, verificationToken: 'vt' });
        const { ok, reason } = await scene.simulator.verifyCallbackUrl(scene.app.appId);
        assert.equal(ok, false);
        return reason;
      };
      let sent: Record<string, unknown> = {};
      const wrong = await refused((posted, response) => {
        sent = JSON.parse(posted.body) as Record<string, unknown>;
        response.end('{"challenge":"another"}');
      });
      assert.equal(wrong, 'the answer is not the challenge');
      assert.deepEqual([sent['token'], sent['type'], typeof sent['challenge']], ['vt', 'url_verification', 'string']);
      const echo = (status: number) => (posted: Posted, response: ServerResponse) =>
        void response.writeHead(status).end(posted.body);
      assert.equal(await refused(echo(403)), 'HTTP status 403');
      assert.equal(await refused((_, response) => void response.end('no')), 'the answer is not UTF-8 JSON');
      assert.equal(await refused(() => undefined), 'no answer in time');
      configure({ callbackUrl: undefined });
      await assert.rejects(scene.simulator.verifyCallbackUrl(scene.app.appId), /no callbackUrl/);
    });
  });
});
