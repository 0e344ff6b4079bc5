/** Staying up: drops, dead sockets, odd settings, odd frames, acks (FEISHU.md §2.4–§2.6, FAILURES area A). */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Receive } from '../../src/feishu/long-connection/link.js';
import { longConnectionTimings } from '../../src/feishu/long-connection/timings.js';
import type { App } from '../simulator/directory.js';
import { DATA, encodeFrame, type FrameHeader, headerOf } from '../simulator/gateway/frame.js';
import { type Simulator, startSimulator } from '../simulator/index.js';
import { WARN } from '../support/captured-log.js';
import {
  clickEnvelope,
  newLongConnection,
  type TestConnection,
  type TestConnectionOptions,
} from '../support/new-long-connection.js';

type PushOptions = Parameters<Simulator['pushEvent']>[2];

let simulator: Simulator;
let app: App;
let one: TestConnection;
let seen: unknown[];
let answer: Receive;

const socketOf = () => simulator.sockets(app.appId)[0] ?? assert.fail('no connection');
const live = () => simulator.connections(app.appId).length;
const pulls = () => simulator.endpointCalls(app.appId).length;

async function up(options: Partial<TestConnectionOptions> = {}): Promise<TestConnection> {
  app = simulator.addApp();
  seen = [];
  answer = async () => ({});
  const receive: Receive = (payload, link) => {
    seen.push(payload);
    return answer(payload, link);
  };
  one = newLongConnection({ app, baseUrl: simulator.baseUrl, receive, ...options });
  one.connection.start();
  await one.connected();
  return one;
}

/** Pushes a click once and returns how it ended. */
async function click(options: PushOptions = {}) {
  const push = simulator.pushEvent(app.appId, clickEnvelope(simulator, app), { redeliver: false, ...options });
  const { attempts } = await push.done;
  return attempts[0] ?? assert.fail('not pushed');
}

async function ackOfClick(options: PushOptions = {}) {
  const outcome = await click(options);
  if (outcome.kind !== 'acked') assert.fail(`the click was not acked: ${outcome.kind}`);
  return outcome;
}

before(async () => {
  simulator = await startSimulator({
    clientConfig: { PingInterval: 0.05 },
    limits: { ackTimeoutMs: 500 },
    redeliveryScheduleMs: [50, 50, 50],
  });
});
after(() => simulator.close());
afterEach(async () => {
  simulator.faults.clear();
  await one.stop();
  // A black hole does not notice that the other side has gone.
  for (const socket of simulator.sockets(app.appId)) socket.terminate();
  await simulator.until(() => simulator.connections(app.appId).length === 0);
});

describe('a drop', () => {
  const DROPS: [string, () => void][] = [
    ['close code 1000', () => socketOf().close(1000)],
    ['close code 1001', () => socketOf().close(1001)],
    ['close code 1011', () => socketOf().close(1011)],
    ['a TCP reset', () => socketOf().terminate()],
  ];
  for (const [name, drop] of DROPS) {
    it(`by ${name} is followed by a new attempt within a second, at the real pace`, async () => {
      const real = longConnectionTimings({
        reconnectBaseMs: 1_000,
        reconnectMaxMs: 60_000,
        pongTimeoutSeconds: 20,
        rotateAfterSeconds: 0,
      });
      await up({ timings: real });
      const dropped = Date.now();
      drop();
      await one.until(({ reconnects }) => reconnects === 1);
      assert.ok((simulator.endpointCalls(app.appId)[1] ?? Number.POSITIVE_INFINITY) - dropped < 1_000);
      assert.equal(live(), 1);
      const states = one.changes.map(({ state }) => state);
      assert.deepEqual(states, ['connecting', 'connected', 'reconnecting', 'connected']);
      assert.equal(one.log.of('ws.disconnected')[0]?.['cause'], 'dropped');
      await ackOfClick();
    });
  }

  it('is noticed at once and its time is told', async () => {
    await up();
    simulator.faults.add({ on: 'api', api: 'endpoint', kind: 'hang' });
    const before = one.status().since;
    socketOf().close(1011);
    const status = await one.until(({ state }) => state === 'reconnecting');
    assert.ok(status.since >= before);
    assert.deepEqual([status.lastError?.reason, status.lastError?.closeCode], ['dropped', 1011]);
  });

  it('together with trouble at the endpoint is survived: reset, 500, 429, bad JSON, busy', async () => {
    await up();
    const endpoint = { on: 'api', api: 'endpoint', times: 1 } as const;
    simulator.faults.add({ ...endpoint, kind: 'reset' });
    simulator.faults.add({ ...endpoint, kind: 'status', status: 500 });
    simulator.faults.add({ ...endpoint, kind: 'status', status: 429 });
    simulator.faults.add({ ...endpoint, kind: 'html', status: 200 });
    simulator.faults.add({ ...endpoint, kind: 'code', code: 1 });
    socketOf().terminate();
    await one.until(({ reconnects }) => reconnects === 1);
    assert.equal(pulls(), 7);
  });

  it('twenty times in a row at odd moments leaves one connection', async () => {
    await up({ timings: { reconnectMaxMs: 40 } });
    for (let round = 0; round < 20; round += 1) {
      await one.until(({ connects }) => connects === round + 1);
      await sleep(Math.random() * 40);
      for (const socket of simulator.sockets(app.appId)) socket.terminate();
    }
    await one.until(({ connects }) => connects === 21);
    assert.equal(live(), 1);
    await ackOfClick();
  });

  it('of connections that live 100 ms makes the pauses grow: a 101 is no proof of health', async () => {
    simulator.faults.add({ on: 'handshake', kind: 'accept_then_close', ms: 20, skip: 1 });
    await up({ timings: { stableAfterMs: 5_000, reconnectBaseMs: 20, reconnectMaxMs: 10_000 } });
    socketOf().terminate();
    await one.log.find((line) => line.event === 'ws.connected' && Number(line['failures']) >= 6, 20_000);
    const times = simulator.endpointCalls(app.appId).slice(1);
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    for (const [index, gap] of gaps.entries()) assert.ok(gap >= 0.75 * 20 * 2 ** index, `gap ${index}: ${gap} ms`);
  });

  it('after a stable time starts the pauses over', async () => {
    const ROUNDS = 6;
    await up({ timings: { stableAfterMs: 100, reconnectBaseMs: 40 } });
    for (let round = 0; round < ROUNDS; round += 1) {
      await one.connected();
      await sleep(120);
      const dropped = Date.now();
      socketOf().terminate();
      await one.until(({ reconnects }) => reconnects === round + 1);
      const last = simulator.endpointCalls(app.appId).at(-1) ?? 0;
      // A sixth pause of a row that was not started over would be 480 ms at the least.
      if (round === ROUNDS - 1) assert.ok(last - dropped < 450, 'the pauses begin anew after a stable connection');
    }
  });

  it('does not end the process by a late error of the old socket, and no handler is lost by its late end', async () => {
    await up();
    const old = socketOf();
    old.blackhole();
    await one.until(({ reconnects }) => reconnects === 1);
    old.terminate();
    await sleep(50);
    assert.equal(one.status().state, 'connected');
    assert.equal(pulls(), 2);
  });
});

describe('a dead socket', () => {
  it('is found by the unanswered ping, also when pings are far more frequent than the timeout', async () => {
    await up({ timings: { pongTimeoutMs: 250 } });
    const cut = Date.now();
    const old = socketOf();
    old.blackhole();
    await one.until(({ reconnects }) => reconnects === 1);
    const tookMs = Date.now() - cut;
    assert.ok(tookMs >= 200 && tookMs < 3_000, `${tookMs} ms`);
    assert.equal(one.log.of('ws.disconnected')[0]?.['cause'], 'no_pong');
    await ackOfClick({ connectionId: simulator.sockets(app.appId).at(-1)?.id ?? '' });
    await sleep(600);
    assert.equal(pulls(), 2, 'the new connection is not blamed for the old one');
    old.terminate();
  });

  it('is not seen where pongs are late but in time', async () => {
    simulator.faults.add({ on: 'socket', kind: 'pong_delay', ms: 150, every: 3 });
    await up({ timings: { pongTimeoutMs: 300 } });
    for (let round = 0; round < 5; round += 1) {
      await ackOfClick();
      await sleep(200);
    }
    assert.equal(pulls(), 1);
  });

  it('is not seen where our own process stood still', async () => {
    await up({ timings: { pongTimeoutMs: 300 } });
    await simulator.waitFor('connection.ping');
    const until = performance.now() + 1_600;
    while (performance.now() < until) Math.sqrt(until);
    await sleep(300);
    assert.equal(pulls(), 1);
    assert.equal(one.status().state, 'connected');
  });

  it('is found soon after a suspend, without waiting for the next ping', async () => {
    let offsetMs = 0;
    await up({
      timings: { pingMinMs: 600_000, pingMaxMs: 600_000, pongTimeoutMs: 300 },
      deps: { now: () => Date.now() + offsetMs },
    });
    socketOf().blackhole();
    offsetMs = 3_600_000;
    await one.until(({ reconnects }) => reconnects === 1);
    assert.equal(one.log.of('ws.disconnected')[0]?.['cause'], 'no_pong');
  });

  it('that pretends to live does not refresh the time of the last event', async () => {
    await up();
    await ackOfClick();
    const { lastEventAt, lastPongAt } = one.status();
    for (let pings = 0; pings < 3; pings += 1) await simulator.waitFor('connection.ping');
    await sleep(20);
    assert.equal(one.status().lastEventAt, lastEventAt);
    assert.ok((one.status().lastPongAt ?? 0) > (lastPongAt ?? 0));
  });
});

describe('settings that cannot be meant', () => {
  const BAD_PONGS = [
    '{}',
    '{"PingInterval":0}',
    '{"PingInterval":-1}',
    '{"PingInterval":"x"}',
    'null',
    'no json',
    '[]',
  ];
  for (const payload of [...BAD_PONGS, null, '{"PingInterval":1e12}', '{"PingInterval":0.000001}']) {
    it(`in a pong (${payload ?? 'without payload'}) change neither the pace of pings nor the connection`, async () => {
      simulator.faults.add({ on: 'socket', kind: 'pong_payload', payload });
      await up({ timings: { pingMinMs: 40, pingMaxMs: 100 } });
      const before = socketOf().pings.length;
      const since = performance.now();
      await sleep(350);
      const pings = socketOf().pings.length - before;
      const ms = performance.now() - since;
      assert.ok(pings >= 2 && pings <= ms / 40 + 2, `${pings} pings in ${ms} ms`);
      assert.equal(pulls(), 1);
      await ackOfClick();
      assert.ok(one.log.of('ws.settings_ignored').length <= 1);
    });
  }

  for (const seconds of [0, -5, null, 1e12, 'soon']) {
    it(`from the endpoint (PingInterval ${seconds}) do not either`, async () => {
      simulator.faults.add({
        on: 'api',
        api: 'endpoint',
        kind: 'rewrite',
        when: 'after',
        set: { 'data.ClientConfig.PingInterval': seconds },
      });
      simulator.faults.add({ on: 'socket', kind: 'pong_payload', payload: null });
      const since = performance.now();
      await up({ timings: { pingMinMs: 40, pingMaxMs: 100 } });
      await sleep(400);
      const pings = socketOf().pings.length;
      const ms = performance.now() - since;
      assert.ok(pings >= 3 && pings <= ms / 40 + 2, `${pings} pings in ${ms} ms`);
    });
  }
});

describe('an inbound frame', () => {
  const frame = (headers: FrameHeader[], payload?: string): Uint8Array =>
    encodeFrame({
      SeqID: '1',
      LogID: '1',
      service: 1,
      method: DATA,
      headers,
      ...(payload === undefined ? {} : { payload: Buffer.from(payload) }),
    });
  const header = (fields: Record<string, string>): FrameHeader[] =>
    Object.entries(fields).map(([key, value]) => ({ key, value }));

  it('that is garbage is dropped, counted and said once per kind, and the next click is answered', async () => {
    await up();
    const socket = socketOf();
    const whole = { type: 'event', message_id: 'm', sum: '1', seq: '0' };
    const garbage: (Uint8Array | string)[] = [
      Buffer.from([0xff, 0x00, 0x13, 0x37]),
      Buffer.from([0xff, 0x01]),
      new Uint8Array(0),
      'a text message',
      frame([]),
      frame(header({ type: 'novel' }), '{}'),
      frame(header(whole), '{"schema":"2.0","hea'),
      frame(header(whole), 'null'),
      frame(header({ type: 'event', message_id: 'm' }), '{}'),
      frame(header({ ...whole, sum: '4000000000' }), '{}'),
      frame(header({ ...whole, sum: '3', message_id: 'part' }), '{"a"'),
      frame(header({ ...whole, sum: '3', seq: '1', message_id: 'part' }), ':1}'),
      frame(header({ ...whole, type: 'x'.repeat(5_000) }), 'y'.repeat(5_000_000)),
    ];
    for (const bytes of garbage) socket.sendRaw(bytes);
    await ackOfClick();
    assert.equal(pulls(), 1);
    assert.equal(seen.length, 1);
    assert.ok(one.status().droppedFrames >= 9, `${one.status().droppedFrames}`);
    const warned = one.log.of('ws.frame_dropped').map((line) => String(line['frame']));
    assert.equal(new Set(warned).size, warned.length);
    assert.ok(warned.includes('data:novel') && warned.every((kind) => kind.length <= 40), warned.join());
  });

  it('of unknown type cannot flood the log', async () => {
    await up();
    for (let kind = 0; kind < 100; kind += 1) socketOf().sendRaw(frame(header({ type: `kind${kind}` })));
    await ackOfClick();
    assert.equal(one.status().droppedFrames, 100);
    assert.equal(one.log.of('ws.frame_dropped').length, 20);
  });

  it('in the same write as the 101 is dispatched and acked', async () => {
    app = simulator.addApp();
    const early = simulator.pushEvent(app.appId, clickEnvelope(simulator, app), {
      withUpgrade: true,
      redeliver: false,
    });
    one = newLongConnection({
      app,
      baseUrl: simulator.baseUrl,
      receive: async () => ({ toast: { content: 'early' } }),
    });
    one.connection.start();
    const { attempts } = await early.done;
    assert.ok(attempts[0]?.kind === 'acked' && attempts[0].ack.code === 200, attempts[0]?.kind);
    assert.deepEqual(attempts[0].ack.body, { toast: { content: 'early' } });
  });

  it('of type card is handled like an event and acked as a card', async () => {
    await up();
    answer = async () => ({ toast: { content: 'ok' } });
    const { ack, frame: acked } = await ackOfClick({ type: 'card' });
    assert.equal(seen.length, 1);
    assert.deepEqual([ack.code, ack.body], [200, { toast: { content: 'ok' } }]);
    assert.equal(headerOf(acked, 'type'), 'card');
    assert.ok(headerOf(acked, 'biz_rt') !== undefined);
    assert.equal(headerOf((await ackOfClick()).frame, 'type'), 'event');
  });

  for (const fragmentOrder of ['forward', 'reverse'] as const) {
    it(`cut into ${fragmentOrder} fragments arrives whole, characters cut in two included`, async () => {
      await up();
      const envelope = clickEnvelope(simulator, app, { text: '授权'.repeat(50) });
      const push = simulator.pushEvent(app.appId, envelope, { fragments: 7, fragmentOrder, redeliver: false });
      assert.equal((await push.done).delivered, true);
      assert.deepEqual(seen, [envelope]);
    });
  }
});

describe('an ack', () => {
  it('carries what the receiver returned; the receiver gets the raw envelope and the connection', async () => {
    await up();
    const links: { connectionId: string; open: boolean }[] = [];
    answer = async (_payload, link) => {
      links.push({ connectionId: link.connectionId, open: link.isOpen() });
      return { card: { type: 'raw', data: {} } };
    };
    const { ack } = await ackOfClick();
    assert.deepEqual([ack.code, ack.body], [200, { card: { type: 'raw', data: {} } }]);
    assert.equal((seen[0] as { schema?: string }).schema, '2.0');
    assert.deepEqual(links, [{ connectionId: one.log.of('ws.connected')[0]?.['connection_id'], open: true }]);
  });

  it('is 500 when the receiver throws, so that Feishu sends the event again', async () => {
    await up();
    let calls = 0;
    answer = async () => {
      calls += 1;
      if (calls === 1) throw new Error('Redis is away; secret=abcdefghijklmnop');
      return undefined;
    };
    const push = simulator.pushEvent(app.appId, clickEnvelope(simulator, app));
    const { delivered, attempts } = await push.done;
    assert.deepEqual([delivered, attempts.length], [true, 2]);
    assert.ok(attempts[0]?.kind === 'acked' && attempts[0].ack.code === 500);
    assert.equal(one.log.of('ws.event_not_accepted')[0]?.level, WARN);
    assert.doesNotMatch(one.log.text(), /abcdefghijklmnop/);
  });

  it('of a handler that outlives its socket is dropped; the event comes again on the next connection', async () => {
    await up();
    let release: () => void = () => undefined;
    answer = () => new Promise((resolve) => (release = () => resolve({})));
    const views: boolean[] = [];
    const push = simulator.pushEvent(app.appId, clickEnvelope(simulator, app));
    await simulator.until(() => simulator.connections(app.appId)[0]?.pushed === 1);
    while (seen.length === 0) await sleep(5);
    assert.equal(one.status().inHand, 1);
    const first = release;
    answer = async (_payload, link) => {
      views.push(link.isOpen());
      return {};
    };
    socketOf().terminate();
    await one.until(({ reconnects }) => reconnects === 1);
    first();
    const { delivered, attempts } = await push.done;
    assert.equal(delivered, true);
    assert.equal(attempts[0]?.kind, 'timeout');
    assert.deepEqual(views, [true]);
    assert.equal(one.status().inHand, 0);
  });

  it('of a slow handler does not hold up others', async () => {
    await up();
    let release: () => void = assert.fail;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let calls = 0;
    answer = async () => {
      calls += 1;
      if (calls === 1) await held;
      return {};
    };
    const slow = ackOfClick();
    await ackOfClick();
    release();
    await slow;
  });
});

describe('the process', () => {
  it('never sees an unhandled rejection from all this', async () => {
    const seenRejections: unknown[] = [];
    const onRejection = (error: unknown) => seenRejections.push(error);
    process.on('unhandledRejection', onRejection);
    await up();
    answer = () => Promise.reject(undefined);
    assert.equal((await ackOfClick()).ack.code, 500);
    socketOf().terminate();
    await one.until(({ reconnects }) => reconnects === 1);
    await one.stop();
    await sleep(20);
    process.off('unhandledRejection', onRejection);
    assert.deepEqual(seenRejections, []);
  });
});
