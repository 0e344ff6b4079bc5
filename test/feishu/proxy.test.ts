/** Which way requests to Feishu take: the rules, then all of it through a proxy that records what passes. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { request } from 'undici';
import type { ProxyConfig } from '../../src/config/config.js';
import { createDispatcher, createWsAgent, proxyFor, proxyLabel } from '../../src/feishu/proxy.js';
import type { App } from '../simulator/directory.js';
import { type Simulator, startSimulator } from '../simulator/index.js';
import { type ConnectProxy, startConnectProxy } from '../support/connect-proxy.js';
import { clickEnvelope, DIRECT, newLongConnection, type TestConnection } from '../support/new-long-connection.js';

const BOTH: ProxyConfig = { httpsProxy: 'http://secure:1', httpProxy: 'http://plain:2', noProxy: null };
const without = (noProxy: string): ProxyConfig => ({ ...BOTH, noProxy });

describe('the proxy for a URL', () => {
  it('is HTTPS_PROXY for https and wss, HTTP_PROXY for http and ws, and none where neither is set', () => {
    assert.equal(proxyFor('https://open.feishu.cn/x', BOTH), 'http://secure:1/');
    assert.equal(proxyFor('wss://msg-frontier.feishu.cn/ws?ticket=1', BOTH), 'http://secure:1/');
    assert.equal(proxyFor('http://127.0.0.1:9/x', BOTH), 'http://plain:2/');
    assert.equal(proxyFor('ws://127.0.0.1:9/x', BOTH), 'http://plain:2/');
    assert.equal(proxyFor('https://open.feishu.cn', DIRECT), null);
    assert.equal(proxyFor('https://open.feishu.cn', { ...BOTH, httpsProxy: null }), null);
    assert.equal(proxyFor('https://open.feishu.cn', { ...BOTH, httpsProxy: ' ' }), null);
    assert.equal(proxyFor('https://open.feishu.cn', { ...BOTH, httpsProxy: 'proxy:3128' }), 'http://proxy:3128/');
  });

  const RULES: [string, string, boolean][] = [
    ['*', 'https://open.feishu.cn', true],
    ['open.feishu.cn', 'https://open.feishu.cn', true],
    ['OPEN.Feishu.CN', 'https://open.feishu.cn', true],
    ['feishu.cn', 'https://open.feishu.cn', true],
    ['.feishu.cn', 'https://open.feishu.cn', true],
    ['*.feishu.cn', 'https://open.feishu.cn', true],
    ['.feishu.cn', 'https://feishu.cn', true],
    ['feishu.cn', 'https://notfeishu.cn', false],
    ['.feishu.cn', 'https://feishu.cn.evil.example', false],
    ['feishu.cn:443', 'https://open.feishu.cn', true],
    ['feishu.cn:443', 'wss://msg-frontier.feishu.cn/ws', true],
    ['feishu.cn:8443', 'https://open.feishu.cn', false],
    ['example.com, open.feishu.cn ,x', 'https://open.feishu.cn', true],
    ['example.com open.feishu.cn', 'https://open.feishu.cn', true],
    ['127.0.0.1', 'http://127.0.0.1:8080', true],
    ['127.0.0.1:8080', 'http://127.0.0.1:8080', true],
    ['127.0.0.1:8081', 'http://127.0.0.1:8080', false],
    ['127.0.0.0/8', 'http://127.1.2.3:8080', true],
    ['10.0.0.0/8', 'http://127.0.0.1:8080', false],
    ['localhost', 'http://127.0.0.1:8080', true],
    ['localhost', 'http://[::1]:8080', true],
    ['::1', 'http://[::1]:8080', true],
    ['[::1]', 'http://[::1]:8080', true],
    ['[::1]:8080', 'http://[::1]:8080', true],
    ['fd00::/8', 'http://[fd00::1]:8080', true],
    ['0.0.1', 'http://127.0.0.1:8080', false],
    ['/8', 'http://127.0.0.1:8080', false],
    ['10.0.0.0/99', 'http://10.0.0.1:8080', false],
    ['', 'http://127.0.0.1:8080', false],
    [',', 'http://127.0.0.1:8080', false],
  ];
  for (const [noProxy, url, bypassed] of RULES) {
    it(`is ${bypassed ? 'not used' : 'used'} for ${url} with NO_PROXY=${noProxy}`, () => {
      assert.equal(proxyFor(url, without(noProxy)) === null, bypassed);
    });
  }

  it('that is no http proxy is refused without being quoted', () => {
    for (const odd of ['socks5://u:hunter2@proxy:1', 'http://u:hunter2@:x', 'http://']) {
      assert.throws(
        () => proxyFor('https://open.feishu.cn', { ...BOTH, httpsProxy: odd }),
        (error: Error) => {
          assert.doesNotMatch(`${error.message}${error.stack}`, /hunter2/);
          return true;
        },
      );
    }
  });

  it('is shown without its credentials', () => {
    assert.equal(proxyLabel('http://user:hunter2@proxy.example:3128/'), 'http://proxy.example:3128');
  });

  it('gives no agent to a socket that needs none', () => {
    assert.equal(createWsAgent('wss://msg-frontier.feishu.cn/ws', DIRECT), undefined);
  });
});

describe('through a proxy', () => {
  let simulator: Simulator;
  let proxy: ConnectProxy;
  let app: App;
  let one: TestConnection | undefined;

  before(async () => {
    simulator = await startSimulator({ clientConfig: { PingInterval: 0.05 } });
  });
  after(() => simulator.close());
  beforeEach(async () => {
    app = simulator.addApp();
    proxy = await startConnectProxy({ credentials: 'user:p@ss w' });
  });
  afterEach(async () => {
    await one?.stop();
    one = undefined;
    await proxy.close();
  });

  const withCredentials = () => proxy.url.replace('http://', 'http://user:p%40ss%20w@');
  function begin(config: Partial<ProxyConfig>): TestConnection {
    one = newLongConnection({ app, baseUrl: simulator.baseUrl, deps: { proxy: { ...DIRECT, ...config } } });
    one.connection.start();
    return one;
  }

  it('go the endpoint call, the socket and ordinary requests, all by CONNECT', async () => {
    const config = { ...DIRECT, httpProxy: withCredentials() };
    const { connected } = begin(config);
    await connected();
    const { host } = new URL(simulator.baseUrl);
    assert.deepEqual([proxy.tunnels, proxy.strays], [[host, host], []]);
    const clicked = simulator.pushEvent(app.appId, clickEnvelope(simulator, app), { redeliver: false });
    assert.equal((await clicked.done).delivered, true);

    const dispatcher = createDispatcher(simulator.baseUrl, config);
    const { statusCode, body } = await request(`${simulator.baseUrl}/open-apis/authen/v1/user_info`, { dispatcher });
    await body.dump();
    await dispatcher.close();
    assert.ok(statusCode < 500);
    assert.deepEqual([proxy.tunnels.length, proxy.strays], [3, []]);
  });

  it('goes nothing that NO_PROXY covers', async () => {
    await begin({ httpProxy: withCredentials(), noProxy: '10.0.0.0/8,127.0.0.1' }).connected();
    assert.deepEqual([proxy.tunnels, proxy.open()], [[], 0]);
  });

  it('that is dead, nothing comes up; the log names the proxy and not its password', async () => {
    await proxy.close();
    const { log, status } = begin({ httpProxy: withCredentials() });
    const line = await log.find(({ event }) => event === 'ws.connect_failed');
    assert.deepEqual([line['cause'], line['proxy'], line['error_code']], ['proxy', proxy.url, 'ECONNREFUSED']);
    assert.match(String(line.msg), new RegExp(proxy.url));
    assert.equal(status().lastError?.reason, 'proxy');
    proxy = await startConnectProxy();
    for (const secret of ['p@ss', 'p%40ss', Buffer.from('user:p@ss w').toString('base64')]) {
      assert.ok(!log.text().includes(secret));
    }
  });

  const REFUSALS: [string, Partial<ProxyConfig>, { refuse?: number }, number][] = [
    ['wants a password', {}, {}, 407],
    ['forbids the host', { httpProxy: '' }, { refuse: 403 }, 403],
    ['cannot reach Feishu', { httpProxy: '' }, { refuse: 502 }, 502],
  ];
  for (const [name, config, behaviour, status] of REFUSALS) {
    it(`that ${name}, the log says so (${status})`, async () => {
      proxy.behave(behaviour);
      const { log } = begin({ httpProxy: config.httpProxy === '' ? withCredentials() : proxy.url });
      const line = await log.find(({ event }) => event === 'ws.connect_failed');
      assert.deepEqual([line['cause'], line['proxy'], line['http_status']], ['proxy', proxy.url, status]);
    });
  }

  it('that lets the call through and not the socket, the log says so', async () => {
    const { log } = begin({ httpProxy: withCredentials() });
    await simulator.waitFor(({ type, data }) => type === 'call.arrived' && data['api'] === 'endpoint');
    proxy.behave({ refuse: 403 });
    const line = await log.find(({ cause }) => cause === 'proxy');
    assert.deepEqual([line['proxy'], line['http_status']], [proxy.url, 403]);
    proxy.behave({});
    await one?.connected();
  });

  it('that never answers, no connection to it is left behind', async () => {
    await begin({ httpProxy: withCredentials() }).connected();
    proxy.behave({ hang: true });
    for (const socket of simulator.sockets(app.appId)) socket.terminate();
    await one?.log.find(({ failures }) => failures === 3);
    proxy.behave({});
    await one?.connected();
    await simulator.until(() => proxy.open() <= 1);
    await one?.stop();
    const begun = Date.now();
    while (proxy.open() > 0 && Date.now() - begun < 1_000) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(proxy.open(), 0);
  });

  it('that hangs on the socket only, the hanging connection is destroyed with the attempt', async () => {
    begin({ httpProxy: withCredentials() });
    await simulator.waitFor(({ type, data }) => type === 'call.arrived' && data['api'] === 'endpoint');
    proxy.behave({ hang: true });
    await one?.log.find(({ cause }) => cause === 'handshake_timeout');
    await one?.stop();
    const begun = Date.now();
    while (proxy.open() > 0 && Date.now() - begun < 1_000) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(proxy.open(), 0);
  });
});
