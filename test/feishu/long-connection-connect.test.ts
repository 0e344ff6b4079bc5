/** Coming up: what the endpoint and the handshake can do wrong (FEISHU.md §2.6), over real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import type { FailureReason } from '../../src/feishu/long-connection/failures.js';
import type { ApiFault, Fault, HandshakeFault } from '../simulator/faults.js';
import { type Simulator, startSimulator } from '../simulator/index.js';
import { ERROR, WARN } from '../support/captured-log.js';
import {
  newLongConnection,
  type TestApp,
  type TestConnection,
  type TestConnectionOptions,
} from '../support/new-long-connection.js';

type EndpointShape = Omit<Extract<ApiFault, { kind: 'code' }>, 'on' | 'api'>;

describe('a long connection that comes up', () => {
  let simulator: Simulator;
  let app: TestApp;
  let made: TestConnection[] = [];

  before(async () => {
    simulator = await startSimulator({ clientConfig: { PingInterval: 0.1 } });
  });
  after(() => simulator.close());
  afterEach(async () => {
    simulator.faults.clear();
    await Promise.all(made.map((one) => one.stop()));
    made = [];
    await simulator.until(() => simulator.connections().length === 0);
  });

  function begin(options: Partial<TestConnectionOptions> = {}): TestConnection {
    app = options.app ?? simulator.addApp();
    const one = newLongConnection({ app, baseUrl: simulator.baseUrl, ...options });
    made.push(one);
    one.connection.start();
    return one;
  }
  const endpointFault = (fault: EndpointShape) => simulator.faults.add({ on: 'api', api: 'endpoint', ...fault });
  const pulls = () => simulator.endpointCalls(app.appId).length;

  it('is connected after one call, one socket and the first pong', async () => {
    const one = begin();
    assert.equal(one.status().state, 'connecting');
    const status = await one.connected();
    assert.deepEqual([status.connects, status.reconnects, status.openSockets, status.lastError], [1, 0, 1, null]);
    assert.ok(status.lastFrameAt !== null && status.lastEventAt === null);
    assert.equal(pulls(), 1);
    assert.deepEqual(
      one.changes.map(({ state }) => state),
      ['connecting', 'connected'],
    );
    const line = one.log.of('ws.connected')[0];
    assert.equal(line?.['app_id'], app.appId);
    assert.equal(line?.['host'], new URL(simulator.baseUrl).host);
  });

  it('calls the endpoint as the SDK does, whatever the base URL ends with', async () => {
    const calls: { line: string; headers: IncomingHttpHeaders; body: string }[] = [];
    const endpoint = createHttpServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => {
        body += part;
      });
      request.once('end', () => {
        calls.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
        response.writeHead(500).end();
      });
    });
    await once(endpoint.listen(0, '127.0.0.1'), 'listening');
    const { port } = endpoint.address() as AddressInfo;
    const one = begin({ baseUrl: `http://127.0.0.1:${port}/` });
    await one.log.find(({ event }) => event === 'ws.connect_failed');
    await one.stop();
    await once(endpoint.close(), 'close');
    assert.equal(calls[0]?.line, 'POST /callback/ws/endpoint');
    assert.deepEqual(JSON.parse(calls[0].body), { AppID: app.appId, AppSecret: app.appSecret });
    assert.equal(calls[0].headers['locale'], 'zh');
    assert.match(String(calls[0].headers['user-agent']), /^oapi-node-sdk\//);
    assert.match(String(calls[0].headers['content-type']), /^application\/json/);
    assert.equal(calls[0].headers.authorization, undefined);
  });

  it('makes one connection when started twice, and none when started after stop', async () => {
    const one = begin();
    one.connection.start();
    await one.connected();
    assert.equal(simulator.connections(app.appId).length, 1);
    await one.stop();
    assert.equal(one.status().state, 'stopped');
    assert.throws(() => one.connection.start(), /stopped/);
    assert.equal(pulls(), 1);
  });

  it('can wait before its first call', async () => {
    app = simulator.addApp();
    const one = newLongConnection({ app, baseUrl: simulator.baseUrl });
    made.push(one);
    const begun = Date.now();
    one.connection.start(150);
    await one.connected();
    assert.ok((simulator.endpointCalls(app.appId)[0] ?? 0) - begun >= 145);
  });

  it('says nothing secret at any level, though the URL carries a ticket', async () => {
    const one = begin();
    await one.connected();
    simulator.sockets(app.appId)[0]?.terminate();
    await one.until(({ reconnects }) => reconnects === 1);
    await one.stop();
    const written = one.log.text();
    const secrets = [...simulator.secrets(['ws_ticket', 'ws_access_key']), app.appSecret];
    assert.ok(secrets.length >= 5);
    for (const secret of secrets) assert.ok(!written.includes(secret));
    assert.ok(one.log.of('sdk.log').length > 0, 'the SDK speaks through our logger');
    assert.ok(one.log.of('sdk.log').every(({ level }) => level === 20));
  });

  const PASSING_CODES: [number, FailureReason][] = [
    [1, 'busy'],
    [1000040343, 'internal'],
    [1000040345, 'busy'],
    [4711, 'refused'],
  ];
  const PASSING: [string, Fault, FailureReason][] = [
    ...(['empty', 'null', 'absent'] as const).flatMap((data) =>
      PASSING_CODES.map(([code, reason]): [string, Fault, FailureReason] => [
        `code ${code} with data ${data}`,
        { on: 'api', api: 'endpoint', kind: 'code', code, data },
        reason,
      ]),
    ),
    ['HTML with status 200', { on: 'api', api: 'endpoint', kind: 'html', status: 200 }, 'not_json'],
    ['HTML with status 502', { on: 'api', api: 'endpoint', kind: 'html', status: 502 }, 'http_status'],
    ['status 500', { on: 'api', api: 'endpoint', kind: 'status', status: 500 }, 'http_status'],
    ['an empty object', { on: 'api', api: 'endpoint', kind: 'status', status: 200, body: {} }, 'bad_answer'],
    ['a reset', { on: 'api', api: 'endpoint', kind: 'reset' }, 'unreachable'],
    ['silence', { on: 'api', api: 'endpoint', kind: 'hang' }, 'endpoint_timeout'],
    [
      'an empty URL',
      { on: 'api', api: 'endpoint', kind: 'rewrite', when: 'after', set: { 'data.URL': '' } },
      'bad_answer',
    ],
  ];
  for (const [name, fault, reason] of PASSING) {
    it(`tries again after ${name} from the endpoint and warns of it`, async () => {
      simulator.faults.add({ ...fault, times: 2 });
      const one = begin();
      const failing = await one.until(({ lastError }) => lastError !== null);
      assert.deepEqual([failing.state, failing.lastError?.reason], ['connecting', reason]);
      assert.ok(failing.lastError?.remedy);
      await one.connected();
      assert.equal(pulls(), 3);
      const warned = one.log.of('ws.connect_failed');
      assert.deepEqual(
        warned.map((line) => [line.level, line['cause'], line['feishu_code']]),
        [0, 1].map(() => [WARN, reason, 'code' in fault ? fault.code : undefined]),
      );
      assert.doesNotMatch(one.log.text(), /TypeError|Cannot (read|destructure)/);
    });
  }

  it('connects when the endpoint leaves out ClientConfig, with sane pings', async () => {
    simulator.faults.add({ on: 'api', api: 'endpoint', kind: 'rewrite', when: 'after', remove: ['data.ClientConfig'] });
    const one = begin();
    await one.connected();
    assert.ok((simulator.connections(app.appId)[0]?.pings.length ?? 99) < 5);
  });

  const REFUSALS: [number, 'empty' | 'null' | 'absent', FailureReason][] = [
    [514, 'empty', 'credentials'],
    [514, 'null', 'credentials'],
    [10014, 'absent', 'credentials'],
    [10015, 'null', 'credentials'],
    [10003, 'empty', 'credentials'],
    [403, 'empty', 'forbidden'],
    [403, 'absent', 'forbidden'],
    [1000040351, 'empty', 'wrong_brand'],
    [1000040351, 'null', 'wrong_brand'],
  ];
  for (const [code, data, reason] of REFUSALS) {
    it(`says ${code} (data ${data}) once, plainly, keeps trying slowly and connects once it is mended`, async () => {
      const fault = endpointFault({ kind: 'code', code, data });
      const one = begin({ timings: { refusedBaseMs: 60, refusedMaxMs: 60 } });
      await simulator.until(() => fault.fired >= 4);
      const errors = one.log.lines.filter(({ level }) => level >= WARN);
      assert.equal(errors.length, 1, one.log.text());
      assert.deepEqual([errors[0]?.level, errors[0]?.['feishu_code'], errors[0]?.['cause']], [ERROR, code, reason]);
      const { lastError } = one.status();
      assert.deepEqual([lastError?.feishuCode, typeof lastError?.logId], [code, 'string']);
      fault.clear();
      await one.connected();
    });
  }

  it('recognizes a wrong secret and goes on when it is mended in the console', async () => {
    const real = simulator.addApp();
    const one = begin({ app: { ...real, appSecret: 'wrong' } });
    const { lastError } = await one.until((status) => status.lastError !== null);
    assert.equal(lastError?.reason, 'credentials');
    simulator.changeApp(real.appId, { appSecret: 'wrong' });
    await one.connected();
  });

  it('recognizes an app of the other brand', async () => {
    const one = begin({ app: simulator.addApp({ brand: 'lark' }) });
    const { lastError } = await one.until((status) => status.lastError !== null);
    assert.equal(lastError?.reason, 'wrong_brand');
    assert.match(lastError.remedy, /FEISHU_BRAND/);
  });

  it('says at once that an app id can never work, in place of staying idle', async () => {
    const one = begin({ app: { ...simulator.addApp(), appId: 'cli_0123456789abcdef ' } });
    const { lastError } = await one.until((status) => status.lastError !== null);
    assert.equal(lastError?.reason, 'app_id_invalid');
    assert.equal(one.log.of('ws.connect_failed')[0]?.level, ERROR);
  });

  it('lets the pauses grow over mixed failures and stays in reach of a minute', async () => {
    for (const code of [1, 1, 1000040345, 1000040345, 514, 514]) endpointFault({ kind: 'code', code, times: 1 });
    const one = begin({
      timings: { reconnectBaseMs: 20, reconnectMaxMs: 1_200, refusedBaseMs: 300, refusedMaxMs: 1_200 },
    });
    await one.connected();
    const times = simulator.endpointCalls(app.appId);
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    // The first comes at once; of each other step three eighths at the least, and what a busy machine is late on top.
    const least = [0, 20, 40, 80, 300, 600].map((step) => step * 0.375);
    assert.equal(gaps.length, least.length);
    for (const [i, gap] of gaps.entries()) assert.ok(gap >= (least[i] ?? 0) - 2, `${gap} at ${i} of ${gaps}`);
    assert.ok(Math.max(...gaps) < 1_200 + 2_000, String(gaps));
  });

  it('obeys the pause a 429 names', async () => {
    endpointFault({ kind: 'code', code: 99991400, resetSeconds: 1, times: 1 });
    const one = begin();
    await one.connected();
    const [first = 0, second = 0] = simulator.endpointCalls(app.appId);
    assert.ok(second - first >= 1_000 && second - first < 3_000);
    assert.equal(one.log.of('ws.connect_failed')[0]?.['cause'], 'rate_limited');
  });

  it('keeps trying a host that has no address and one that refuses', async () => {
    const nowhere = begin({ baseUrl: 'http://feishu-authd.invalid:1' });
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const address = closed.address();
    const port = typeof address === 'object' ? address?.port : 0;
    await new Promise((resolve) => closed.close(resolve));
    const refused = begin({ baseUrl: `http://127.0.0.1:${port}` });
    for (const [one, reason] of [
      [nowhere, 'dns'],
      [refused, 'unreachable'],
    ] as const) {
      await one.log.find((line) => line['failures'] === 3);
      assert.equal(one.status().lastError?.reason, reason);
    }
  });

  const HANDSHAKES: [string, HandshakeFault, FailureReason][] = [
    ['403', { on: 'handshake', kind: 'refuse', status: 403, handshakeStatus: 403 }, 'forbidden'],
    ['514', { on: 'handshake', kind: 'refuse', status: 400, handshakeStatus: 514 }, 'handshake_refused'],
    ['500', { on: 'handshake', kind: 'refuse', status: 500 }, 'handshake_refused'],
    [
      'the connection limit',
      { on: 'handshake', kind: 'refuse', status: 400, handshakeStatus: 514, authErrorCode: 1000040350 },
      'connection_limit',
    ],
    ['silence', { on: 'handshake', kind: 'hang' }, 'handshake_timeout'],
    ['a reset', { on: 'handshake', kind: 'reset' }, 'unreachable'],
    ['half an answer', { on: 'handshake', kind: 'half_answer' }, 'unreachable'],
  ];
  for (const [name, fault, reason] of HANDSHAKES) {
    it(`survives ${name} in the handshake several times, says why and pulls a new address each time`, async () => {
      simulator.faults.add({ ...fault, times: 3 });
      const handshakeTimeoutMs = reason === 'handshake_timeout' ? 400 : 5_000;
      const one = begin({
        timings: { handshakeTimeoutMs, refusedBaseMs: 30, refusedMaxMs: 30, limitRetryMs: 30, reconnectMaxMs: 40 },
      });
      await one.connected();
      // With the short limit, a handshake that nobody has spoiled may be late as well.
      const failures = reason === 'handshake_timeout' ? one.log.of('ws.connect_failed').length : 3;
      assert.ok(failures >= 3);
      assert.equal(pulls(), failures + 1);
      assert.equal(one.log.of('ws.connect_failed')[0]?.['cause'], reason);
      assert.equal(one.status().openSockets, 1);
    });
  }

  it('is not connected while pings are unanswered, and gives such a socket up', async () => {
    const fault = simulator.faults.add({ on: 'socket', kind: 'no_pong' });
    const one = begin({ timings: { pongTimeoutMs: 120 } });
    await one.log.find((line) => line['cause'] === 'no_pong');
    assert.ok(one.changes.every(({ state }) => state === 'connecting'));
    fault.clear();
    await one.connected();
    assert.equal(simulator.connections(app.appId).length, 1);
  });

  it('does not wait for another app that is in trouble', async () => {
    const deaf = simulator.addApp();
    simulator.faults.add({ on: 'api', api: 'endpoint', kind: 'hang', appId: deaf.appId });
    begin({ app: deaf, timings: { endpointTimeoutMs: 30_000 } });
    const well = begin({ app: simulator.addApp() });
    await well.connected();
  });
});

describe('the connection limit', () => {
  it('is waited out quietly: one error, few calls, and the slot is taken once it is free', async () => {
    const simulator = await startSimulator({ limits: { connectionsPerApp: 1 } });
    const app = simulator.addApp();
    const owner = newLongConnection({ app, baseUrl: simulator.baseUrl });
    const second = newLongConnection({ app, baseUrl: simulator.baseUrl, timings: { limitRetryMs: 150 } });
    try {
      owner.connection.start();
      await owner.connected();
      const before = simulator.endpointCalls(app.appId).length;
      second.connection.start();
      await second.log.find(({ event }) => event === 'ws.connect_failed');
      await simulator.until(() => simulator.endpointCalls(app.appId).length >= before + 4);
      const loud = second.log.lines.filter(({ level }) => level >= WARN);
      assert.deepEqual(
        loud.map((line) => [line.level, line['feishu_code']]),
        [[ERROR, 1000040350]],
      );
      await owner.stop();
      await second.connected();
    } finally {
      await Promise.all([owner.stop(), second.stop()]);
      await simulator.close();
    }
  });
});
