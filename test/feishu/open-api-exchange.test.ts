import assert from 'node:assert/strict';
import { createServer as createTcpServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { FeishuError, type FeishuErrorKind } from '../../src/domain/feishu-error.js';
import type { FeishuRequest } from '../../src/domain/feishu-exchange.js';
import { LIMITS, startExchange, type TestExchange } from '../support/exchange.js';
import { hang, hangUp, type Scripted, type ScriptedServer, startScriptedServer } from '../support/scripted-server.js';

const SECRET = 'sentinel-secret-value';

let parts: TestExchange;
let server: ScriptedServer;
let script: Scripted = { json: {} };
before(async () => {
  parts = await startExchange();
  server = await startScriptedServer(() => script);
});
after(async () => {
  await server.stop();
  await parts.stop();
});

let calls = 0;
/** Each request of an app of its own, so that pauses of one test do not hold up the next. */
function request(more: Partial<FeishuRequest> = {}): FeishuRequest {
  calls += 1;
  return {
    api: 'im.message.create',
    appId: `cli_${calls}`,
    limits: LIMITS,
    method: 'POST',
    url: `${server.url}/open-apis/x?secret=${SECRET}`,
    headers: { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' },
    body: JSON.stringify({ secret: SECRET }),
    timeoutMs: 5_000,
    repeatable: false,
    ...more,
  };
}

async function failure(sent: FeishuRequest): Promise<FeishuError> {
  const error: unknown = await parts.exchange(sent).then(
    () => assert.fail('there should be no reply'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof FeishuError, String(error));
  assert.equal(error.api, sent.api);
  assert.doesNotMatch(JSON.stringify(error) + String(error.stack), new RegExp(SECRET));
  return error;
}

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const probe = createTcpServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 1;
}

describe('http exchange', () => {
  it('gives status, parsed body, code and log id, and sends what it was told', async () => {
    script = { headers: { 'x-tt-logid': '20240101ABC' }, json: { code: '0', data: { a: 1 } } };
    const reply = await parts.exchange(request());
    assert.deepEqual(reply, {
      status: 200,
      body: { code: '0', data: { a: 1 } },
      code: 0,
      logId: '20240101ABC',
      rateLimited: false,
      retryAfterMs: null,
    });
    const asked = server.asked.at(-1);
    assert.equal(asked?.method, 'POST');
    assert.equal(asked?.body, JSON.stringify({ secret: SECRET }));
    assert.equal(asked?.headers['content-length'], String(asked?.body.length));
    assert.equal(asked?.headers.authorization, `Bearer ${SECRET}`);
  });

  const odd: readonly (readonly [string, Scripted, number, unknown])[] = [
    ['HTML', { status: 502, text: '<html>Bad gateway</html>' }, 502, null],
    ['nothing', { status: 500, text: '' }, 500, null],
    ['half a document', { text: '{"code":0,"da' }, 200, null],
    ['a bare string', { text: '"ok"' }, 200, 'ok'],
    ['an array', { json: [1] }, 200, [1]],
    ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example/' }, text: '' }, 302, null],
  ];
  for (const [name, scripted, status, body] of odd) {
    it(`survives ${name} and follows nothing`, async () => {
      script = scripted;
      const reply = await parts.exchange(request());
      assert.equal(reply.status, status);
      assert.deepEqual(reply.body, body);
      assert.equal(reply.code, null);
    });
  }

  const lost: readonly (readonly [string, Partial<FeishuRequest>, FeishuErrorKind, RegExp])[] = [
    ['a write', {}, 'uncertain', /no answer/],
    ['a repeatable write', { repeatable: true }, 'transient', /no answer/],
    ['a read', { method: 'GET', body: null, repeatable: true }, 'transient', /no answer/],
  ];
  for (const [name, more, kind, text] of lost) {
    it(`calls ${name} that got no answer ${kind}`, async () => {
      script = hangUp;
      const cut = await failure(request(more));
      assert.equal(cut.kind, kind);
      assert.match(cut.message, text);
      script = hang;
      const late = await failure(request({ ...more, timeoutMs: 60 }));
      assert.equal(late.kind, kind);
      assert.match(late.message, /no reply within 60 ms/);
    });
  }

  it('ends a reply that never ends at the deadline', async () => {
    script = (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"code":0,');
    };
    const error = await failure(request({ timeoutMs: 80 }));
    assert.equal(error.kind, 'uncertain');
    assert.match(error.message, /no reply within 80 ms/);
  });

  it('takes the reply that has come while the process stood still past the deadline', async () => {
    const standStill = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
    script = (response) => {
      response.end('{"code":0}', standStill);
    };
    for (let i = 0; i < 5; i += 1) assert.equal((await parts.exchange(request({ timeoutMs: 150 }))).code, 0);
  });

  it('takes no reply above 1 MiB', async () => {
    script = { text: JSON.stringify('x'.repeat(1024 * 1024)) };
    assert.match((await failure(request())).message, /reply over 1048576 bytes/);
    script = { text: JSON.stringify('x'.repeat(1024 * 1024 - 2)) };
    assert.equal((await parts.exchange(request())).status, 200);
  });

  it('calls a write transient when it never left, and names the peer', async () => {
    const port = await closedPort();
    const error = await failure(request({ url: `http://127.0.0.1:${port}/x` }));
    assert.equal(error.kind, 'transient');
    assert.match(error.message, new RegExp(`not sent \\(ECONNREFUSED 127.0.0.1:${port}\\)`));
  });

  it('calls a write transient when the name does not resolve', async () => {
    const error = await failure(request({ url: 'http://no-such-host.invalid/x' }));
    assert.equal(error.kind, 'transient');
    assert.match(error.message, /not sent \((ENOTFOUND|EAI_AGAIN)\)/);
  });

  it('calls a write transient when the deadline passes before there is a connection', async (test) => {
    // TLS towards a peer that never speaks: connected, but not ready to be written to.
    const silent = createTcpServer();
    test.after(() => silent.close());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const error = await failure(request({ url: `https://127.0.0.1:${port}/x`, timeoutMs: 100 }));
    assert.equal(error.kind, 'transient');
    assert.match(error.message, /not sent/);
  });

  const limited: readonly (readonly [string, Scripted, number])[] = [
    ['429 with a reset', { status: 429, headers: { 'x-ogw-ratelimit-reset': '7' }, json: { code: 99991400 } }, 7_000],
    ['429 without a reset', { status: 429, text: 'slow' }, 1_000],
    [
      '99991400 as HTTP 400',
      { status: 400, headers: { 'x-ogw-ratelimit-reset': '2' }, json: { code: 99991400 } },
      2_000,
    ],
    ['11232', { status: 400, json: { code: 11232 } }, 1_000],
    ['Retry-After', { status: 429, headers: { 'retry-after': '3' }, json: {} }, 3_000],
    ['an absurd reset', { status: 429, headers: { 'x-ogw-ratelimit-reset': '1e99999' }, json: {} }, 1_000],
    ['a reset of a year', { status: 429, headers: { 'x-ogw-ratelimit-reset': '31536000' }, json: {} }, 300_000],
  ];
  for (const [name, scripted, pauseMs] of limited) {
    it(`pauses the API for everybody after ${name}`, async () => {
      script = scripted;
      const one = request();
      const reply = await parts.exchange(one);
      assert.ok(reply.rateLimited);
      assert.equal(reply.retryAfterMs, pauseMs);
      const pausedMs = await parts.budget.pausedForMs(one.appId, one.api);
      assert.ok(pausedMs > pauseMs - 900 && pausedMs <= pauseMs, String(pausedMs));
      const before = server.asked.length;
      const refused = await failure({ ...one, limits: { ...LIMITS, maxWaitMs: 50 } });
      assert.equal(refused.kind, 'rate_limited');
      assert.ok((refused.retryAfterMs ?? 0) > pauseMs - 900);
      assert.equal(server.asked.length, before, 'nothing was sent in the pause');
    });
  }

  it('pauses only the one message when its own limit was met (230020)', async () => {
    script = { status: 400, json: { code: 230020 } };
    const of = (id: string) => ({ ...LIMITS, maxWaitMs: 0, also: [{ id, perSecond: 5 }] });
    const one = request({ limits: of('message:a') });
    assert.ok((await parts.exchange(one)).rateLimited);
    assert.equal((await failure(one)).kind, 'rate_limited');
    script = { json: { code: 0 } };
    assert.equal((await parts.exchange({ ...one, limits: of('message:b') })).code, 0);
  });

  it('waits for its turn within its bound and comes back when a narrow bound frees', async () => {
    script = { json: { code: 0 } };
    const one = request({ limits: { ...LIMITS, maxWaitMs: 3_000, also: [{ id: 'message:a', perSecond: 1 }] } });
    const startedAt = performance.now();
    await parts.exchange(one);
    await parts.exchange(one);
    assert.ok(performance.now() - startedAt >= 1_000);
  });

  it('does not send when a pause began while it waited', async () => {
    script = { json: { code: 0 } };
    const one = request({ limits: { perSecond: 1, perMinute: 1_000, maxWaitMs: 3_000 } });
    await parts.exchange(one);
    const before = server.asked.length;
    const waiting = failure(one);
    await parts.budget.pause(one.appId, one.api, 5_000);
    assert.equal((await waiting).kind, 'rate_limited');
    assert.equal(server.asked.length, before);
  });

  it('says retry-after of a 5xx but pauses nobody', async () => {
    script = { status: 503, headers: { 'retry-after': '4' }, json: { code: 20072 } };
    const one = request();
    const reply = await parts.exchange(one);
    assert.equal(reply.rateLimited, false);
    assert.equal(reply.retryAfterMs, 4_000);
    assert.equal(await parts.budget.pausedForMs(one.appId, one.api), 0);
  });

  it('does not take odd log ids over', async () => {
    script = { headers: { 'x-tt-logid': 'a b;{c}' }, json: {} };
    assert.equal((await parts.exchange(request())).logId, null);
  });

  it('has logged every call, and nothing secret', () => {
    assert.ok(parts.log.of('feishu.call').length > 10);
    assert.ok(parts.log.of('feishu.rate_limited').every((line) => line.level === 40));
    assert.doesNotMatch(parts.log.text(), new RegExp(SECRET));
  });

  it('is transient, and sends nothing, when the budget cannot be reached', async (test) => {
    const own = await startExchange();
    test.after(() => own.stop());
    await own.killRedis();
    const before = server.asked.length;
    await assert.rejects(
      own.exchange(request()),
      (error) => error instanceof FeishuError && error.kind === 'transient',
    );
    assert.equal(server.asked.length, before);
    script = { json: { code: 0 } };
    assert.equal((await own.exchange(request({ limits: null }))).code, 0, 'uncounted calls need no budget');
  });
});
