import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { RedirectOutcome } from '../../src/domain/redirect.js';
import { AuthdError } from '../../src/errors.js';
import {
  type CallbackOptions,
  type CallbackServer,
  GOOD,
  newCallbackServer,
  OUTCOMES,
  STATE,
} from './callback-support.js';
import { selfSigned } from './self-signed.js';

const FORGED = '/callback?code=x&state=forged';

/** Runs with a server of its own, closed whatever happens. */
async function withServer(options: CallbackOptions, use: (server: CallbackServer) => Promise<void>): Promise<void> {
  const server = await newCallbackServer(options);
  try {
    await use(server);
  } finally {
    await server.app.close();
  }
}

const from = (address: string): RequestInit => ({ headers: { 'x-forwarded-for': address } });

describe('rate limits of the callback server', () => {
  const limits = { requestsPerAddress: { max: 4, windowMs: 60_000 }, refusalsPerAddress: { max: 2, windowMs: 60_000 } };

  it('refuse an address that asks too often, with a page in both languages', () =>
    withServer({ limits }, async (server) => {
      for (let i = 0; i < 4; i += 1) assert.equal((await server.get(GOOD)).status, 200);
      const page = await server.get(GOOD);
      assert.equal(page.status, 429);
      assert.match(
        page.html,
        /<h1>请求太多，请稍后再试<\/h1>[\s\S]*<h1>Too many requests, please try again later<\/h1>/,
      );
      const seconds = page.headers.get('retry-after');
      assert.ok(Number(seconds) > 50);
      // A code lives five minutes: whoever shares the address with the cause of it does not have to do anything.
      assert.match(page.html, new RegExp(`<meta http-equiv="refresh" content="${seconds}">`));
      assert.match(page.html, new RegExp(`tries again in <bdi>${seconds}</bdi> seconds`));
      assert.equal(page.headers.get('x-feishu-authd'), 'callback');
      assert.equal((await server.get(GOOD, { method: 'HEAD' })).status, 429);
      assert.equal(server.received.length, 4);
    }));

  it('stop forgers soon and say so once in the log, but not a neighbour with a link of ours', () =>
    withServer({ limits: { ...limits, requestsPerAddress: { max: 100, windowMs: 60_000 } } }, async (server) => {
      server.answer = ({ state }) => (state === 'forged' ? OUTCOMES.invalid : OUTCOMES.completed);
      const statuses: number[] = [];
      for (const path of ['/callback', FORGED, '/callback?code=%zz', FORGED, '/callback', '/callback', GOOD]) {
        statuses.push((await server.get(path)).status);
      }
      assert.deepEqual(statuses, [400, 400, 400, 429, 400, 429, 200]);
      assert.deepEqual(
        server.log.of('callback.refused').map(({ remote_address, route }) => [remote_address, route]),
        [['127.0.0.1', '/callback']],
      );
    }));

  it('do not lock out whoever brings a link of ours, however busy her address is; a link has a limit of its own', () => {
    const sessions = new Map([
      [STATE, 'as_1'],
      ['other', 'as_2'],
    ]);
    const sessionOf = (state: string) => sessions.get(state) ?? null;
    const requestsPerSession = { max: 2, windowMs: 60_000 };
    return withServer({ limits: { ...limits, requestsPerSession }, sessionOf }, async (server) => {
      for (let i = 0; i < 5; i += 1) await server.get('/callback?code=x');
      assert.equal((await server.get(FORGED)).status, 429);
      const statuses: number[] = [];
      for (let i = 0; i < 3; i += 1) statuses.push((await server.get(GOOD)).status);
      assert.deepEqual(statuses, [200, 200, 429]);
      assert.equal((await server.get(GOOD, { method: 'HEAD' })).status, 429);
      assert.equal((await server.get('/callback?code=x&state=other')).status, 200);
    });
  });

  it('count by the forwarded address behind a trusted proxy, one counter for each', () =>
    withServer({ limits, trustedProxies: ['127.0.0.0/8'] }, async (server) => {
      for (let i = 0; i < 5; i += 1) await server.get(GOOD, from('203.0.113.7'));
      assert.equal((await server.get(GOOD, from('203.0.113.7'))).status, 429);
      // What a client writes there itself stands on the left of what the proxy adds.
      assert.equal((await server.get(GOOD, from('198.51.100.1, 203.0.113.7'))).status, 429);
      assert.equal((await server.get(GOOD, from('203.0.113.8'))).status, 200);
      assert.equal((await server.get(GOOD, from('x'.repeat(5_000)))).status, 200);
    }));

  it('count by the real address when nobody is trusted, or somebody else is', async () => {
    for (const trustedProxies of [[], ['10.0.0.0/8']]) {
      await withServer({ limits, trustedProxies }, async (server) => {
        for (let i = 0; i < 4; i += 1) assert.equal((await server.get(GOOD, from(`203.0.113.${i}`))).status, 200);
        assert.equal((await server.get(GOOD, from('203.0.113.99'))).status, 429);
      });
    }
  });
});

describe('waiting for an outcome', () => {
  const never = (): Promise<RedirectOutcome> => new Promise(() => undefined);

  it('ends with the page that asks again when it takes too long', () =>
    withServer({ limits: { outcomeTimeoutMs: 50 } }, async (server) => {
      server.answer = never;
      const page = await server.get(GOOD);
      assert.equal(page.status, 200);
      assert.match(page.html, /<meta http-equiv="refresh" content="2">[\s\S]*<h1>正在核对你的授权<\/h1>/);
    }));

  it('ends with "not possible right now" when the flow fails, which is logged without what was in it', () =>
    withServer({}, async (server) => {
      server.answer = () => Promise.reject(new Error('secret words'));
      const page = await server.get(GOOD);
      assert.deepEqual([page.status, page.headers.get('retry-after')], [503, '10']);
      const [line] = server.log.of('callback.failed');
      assert.equal(line?.['error_name'], 'Error');
      assert.doesNotMatch(server.log.text(), /secret words/);
    }));

  it('observes a failure that comes after the page', () =>
    withServer({ limits: { outcomeTimeoutMs: 20 } }, async (server) => {
      let fail = (): void => undefined;
      server.answer = () =>
        new Promise((_resolve, reject) => {
          fail = () => reject(new Error('late'));
        });
      assert.equal((await server.get(GOOD)).status, 200);
      fail();
      await server.log.find((line) => line.event === 'callback.failed');
    }));

  it('is not begun when too many wait already', () =>
    withServer({ limits: { maxWaiting: 1, outcomeTimeoutMs: 300 } }, async (server) => {
      server.answer = never;
      const first = server.get(GOOD);
      while (server.received.length === 0) await setImmediate();
      assert.equal((await server.get(GOOD)).status, 503);
      assert.equal((await first).status, 200);
      assert.equal(server.received.length, 1);
    }));
});

describe('closing the callback server', () => {
  const waitingPage = async (server: CallbackServer, answer: Promise<RedirectOutcome>) => {
    server.answer = () => answer;
    const page = server.get(GOOD);
    while (server.received.length === 0) await setImmediate();
    return page;
  };

  it('lets a page that waits see its outcome', async () => {
    const server = await newCallbackServer();
    let settle = (_outcome: RedirectOutcome): void => undefined;
    const page = waitingPage(
      server,
      new Promise((resolve) => {
        settle = resolve;
      }),
    );
    while (server.received.length === 0) await setImmediate();
    const closed = server.app.close();
    while (server.app.server.listening) await setImmediate();
    settle(OUTCOMES.completed);
    assert.match((await page).html, /<h1>已授权/);
    assert.equal((await page).headers.get('connection'), 'close');
    await closed;
  });

  it('answers a page whose outcome does not come, and asks it to come back later', async () => {
    const server = await newCallbackServer({ limits: { closeGraceMs: 50 } });
    const page = waitingPage(server, new Promise(() => undefined));
    while (server.received.length === 0) await setImmediate();
    const before = performance.now();
    await server.app.close();
    assert.ok(performance.now() - before < 3_000);
    assert.match((await page).html, /<meta http-equiv="refresh" content="10">[\s\S]*<h1>正在核对你的授权/);
  });
});

describe('more routes on the callback server', () => {
  it('have an instance of their own: parsers, methods, no page limits', async () => {
    const limits = { requestsPerAddress: { max: 1, windowMs: 60_000 } };
    const routes: CallbackOptions['routes'] = (app) => {
      app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
      app.post('/callback/cards/:app_id', async (request) => ({ bytes: (request.body as Buffer).toString('hex') }));
    };
    await withServer({ limits, routes }, async (server) => {
      const post = { method: 'POST', body: new Uint8Array([1, 2, 255]) };
      for (let i = 0; i < 3; i += 1) {
        const answer = await server.get('/callback/cards/cli_a', post);
        assert.deepEqual([answer.status, answer.html], [200, '{"bytes":"0102ff"}']);
        assert.equal(answer.headers.get('x-feishu-authd'), 'callback');
      }
      const page = await server.get('/callback/cards/cli_a');
      assert.deepEqual([page.status, page.headers.get('allow')], [405, 'POST, OPTIONS']);
      assert.equal((await server.get(GOOD)).status, 200);
    });
  });
});

describe('TLS of the callback server', () => {
  it('serves HTTPS with the files of the API, and refuses files that do not fit', async (test) => {
    const folder = await mkdtemp(join(tmpdir(), 'authd-callback-'));
    test.after(() => rm(folder, { recursive: true }));
    const { cert, key } = selfSigned();
    const tls = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
    await writeFile(tls.certFile, cert);
    await writeFile(tls.keyFile, key);
    await withServer({ tls }, async (server) => {
      const request = get(`https://127.0.0.1:${server.port}/callback`, { ca: cert, agent: false });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      response.resume();
      assert.deepEqual([response.statusCode, response.headers['x-feishu-authd']], [400, 'callback']);
    });
    await writeFile(tls.keyFile, selfSigned().key);
    await assert.rejects(
      newCallbackServer({ tls }),
      (error) => error instanceof AuthdError && error.code === 'config_invalid',
    );
  });
});
