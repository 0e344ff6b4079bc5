/** Rotation and stop, and what happens when they meet drops and starts (FAILURES A-parallel-reconnect-loops and next). */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Receive } from '../../src/feishu/long-connection/link.js';
import type { App } from '../simulator/directory.js';
import type { Fault } from '../simulator/faults.js';
import { type Simulator, startSimulator } from '../simulator/index.js';
import {
  clickEnvelope,
  newLongConnection,
  type TestConnection,
  type TestConnectionOptions,
} from '../support/new-long-connection.js';

let simulator: Simulator;
let app: App;
let one: TestConnection;
/** Most connections of the app that were open at the gateway at once. */
let most: number;
let stopCounting: () => void;

const live = () => simulator.connections(app.appId).length;
const pulls = () => simulator.endpointCalls(app.appId).length;
const never = () => new Promise<never>(() => undefined);

/** No test here waits for these unless it says so: none of them may end because this machine is busy. */
const UNHURRIED = { endpointTimeoutMs: 30_000, handshakeTimeoutMs: 30_000, pongTimeoutMs: 30_000 };

function make(options: Partial<TestConnectionOptions> = {}): TestConnection {
  app = simulator.addApp();
  most = 0;
  stopCounting = simulator.on('connection.opened', ({ data }) => {
    if (data['app_id'] === app.appId) most = Math.max(most, Number(data['live']));
  });
  one = newLongConnection({
    app,
    baseUrl: simulator.baseUrl,
    ...options,
    timings: { ...UNHURRIED, ...options.timings },
  });
  return one;
}

async function up(options: Partial<TestConnectionOptions> = {}): Promise<TestConnection> {
  make(options);
  one.connection.start();
  await one.connected();
  return one;
}

const push = (redeliver = false) => simulator.pushEvent(app.appId, clickEnvelope(simulator, app), { redeliver });

/** Fails if the app is called or connected once more within `ms`. */
async function assertQuiet(ms = 400): Promise<void> {
  const before = pulls();
  await sleep(ms);
  assert.equal(pulls(), before, 'Feishu was called after stop');
  assert.equal(live(), 0);
}

before(async () => {
  simulator = await startSimulator({
    clientConfig: { PingInterval: 0.05 },
    limits: { ackTimeoutMs: 10_000 },
    redeliveryScheduleMs: [10, 10],
  });
});
after(() => simulator.close());
afterEach(async () => {
  stopCounting();
  simulator.faults.clear();
  await one.stop();
  for (const socket of simulator.sockets(app.appId)) socket.terminate();
  await simulator.until(() => simulator.connections(app.appId).length === 0);
});

describe('a rotation', () => {
  it('brings the new connection up before the old one goes, never leaves connected and loses no event', async () => {
    const answered: unknown[] = [];
    const receive: Receive = async (payload) => {
      answered.push(payload);
      return {};
    };
    await up({ timings: { rotateAfterMs: 100 }, receive });
    const outcomes: Promise<{ delivered: boolean }>[] = [];
    while (one.status().rotations < 3 || outcomes.length < 10) {
      // With redelivery: nothing can be done for a frame that is on its way when the old connection is closed.
      outcomes.push(push(true).done);
      await sleep(15);
    }
    const results = await Promise.all(outcomes);
    assert.ok(results.every(({ delivered }) => delivered));
    assert.equal(answered.length, results.length, 'no event is handled twice');
    assert.equal(most, 2);
    assert.ok(one.changes.slice(1).every(({ state }) => state === 'connected'));
    assert.equal(one.status().reconnects, 0);
    assert.ok(one.log.of('ws.rotated').length >= 3);
    assert.equal(one.log.of('ws.disconnected').length, 0);
  });

  it('is what saves an app whose connection answers pings and carries no events', async () => {
    await up({ timings: { rotateAfterMs: 2_000 } });
    simulator.sockets(app.appId)[0]?.deafen();
    assert.equal((await push().done).delivered, false);
    await one.until(({ rotations }) => rotations >= 1);
    assert.equal((await push().done).delivered, true);
  });

  it('lets the old connection finish the click it has in hand', async () => {
    let release: () => void = () => undefined;
    const receive: Receive = () => new Promise((resolve) => (release = () => resolve({ toast: { content: 'done' } })));
    await up({ timings: { rotateAfterMs: 1_000, retireMs: 20_000 }, receive });
    const { done } = push();
    await one.until(({ rotations }) => rotations === 1);
    assert.deepEqual([one.status().inHand, live()], [1, 2]);
    release();
    const { attempts } = await done;
    assert.ok(attempts[0]?.kind === 'acked' && attempts[0].ack.code === 200);
    await simulator.waitFor('connection.closed');
    assert.equal(live(), 1);
  });

  it('does not wait for a click that never ends, nor begins before the one before it is done', async () => {
    await up({ timings: { rotateAfterMs: 60, retireMs: 250 }, receive: never });
    for (const turn of [1, 2, 3]) {
      simulator.pushEvent(app.appId, clickEnvelope(simulator, app), {
        redeliver: false,
        connectionId: simulator.connections(app.appId).at(-1)?.connectionId ?? '',
      });
      await one.until(({ rotations }) => rotations >= turn);
    }
    assert.equal(most, 2);
  });

  it('that fails keeps the old connection and tries again, ever less often', async () => {
    make({ timings: { rotateAfterMs: 80, reconnectBaseMs: 30 } });
    const fault = simulator.faults.add({ on: 'api', api: 'endpoint', kind: 'code', code: 1, skip: 1, times: 4 });
    one.connection.start();
    await simulator.until(() => fault.fired === 4);
    assert.equal(one.status().state, 'connected');
    assert.equal(live(), 1);
    assert.equal((await push().done).delivered, true);
    await one.until(({ rotations }) => rotations >= 1);
    const waits = one.log.of('ws.rotation_failed').map((line) => Number(line['retry_in_ms']));
    assert.equal(waits.length, 4);
    assert.deepEqual(
      waits,
      [...waits].sort((a, b) => a - b),
    );
    assert.ok((waits.at(-1) ?? 0) > (waits[0] ?? 0));
    const times = simulator.endpointCalls(app.appId).slice(1, 6);
    for (const [i, wait] of waits.entries())
      assert.ok((times[i + 1] ?? 0) - (times[i] ?? 0) >= wait - 2, 'it waits so long');
  });

  it('at the connection limit keeps the old connection', async () => {
    const small = await startSimulator({ limits: { connectionsPerApp: 1 } });
    const own = small.addApp();
    const lone = newLongConnection({
      app: own,
      baseUrl: small.baseUrl,
      timings: { rotateAfterMs: 50, limitRetryMs: 60 },
    });
    try {
      lone.connection.start();
      await small.until(() => small.endpointCalls(own.appId).length >= 4);
      assert.deepEqual([lone.status().state, small.connections(own.appId).length], ['connected', 1]);
      assert.equal(lone.log.lines.filter(({ level }) => level >= 50).length, 1);
    } finally {
      await lone.stop();
      await small.close();
    }
    await up();
  });

  it('whose old connection drops meanwhile becomes the only attempt', async () => {
    make({ timings: { rotateAfterMs: 80 } });
    const held = simulator.faults.add({ on: 'api', api: 'endpoint', kind: 'hold', skip: 1 });
    one.connection.start();
    await simulator.until(() => pulls() === 2);
    simulator.sockets(app.appId)[0]?.terminate();
    await one.until(({ state }) => state === 'reconnecting');
    await sleep(100);
    assert.equal(pulls(), 2, 'the attempt under way is enough');
    held.clear();
    await one.until(({ reconnects }) => reconnects === 1);
    assert.equal(live(), 1);
  });

  it('whose old connection drops and whose attempt fails goes on with ordinary attempts', async () => {
    make({ timings: { rotateAfterMs: 80, endpointTimeoutMs: 1_000 } });
    simulator.faults.add({ on: 'api', api: 'endpoint', kind: 'hang', skip: 1, times: 1 });
    one.connection.start();
    await simulator.until(() => pulls() === 2);
    simulator.sockets(app.appId)[0]?.terminate();
    await one.until(({ reconnects }) => reconnects === 1);
    assert.equal(live(), 1);
  });

  it('comes at different times in two processes that started together', async () => {
    const timings = { rotateAfterMs: 1_000 };
    await up({ timings, deps: { random: () => 0.99 } });
    const later = one;
    const sooner = newLongConnection({ app, baseUrl: simulator.baseUrl, timings, deps: { random: () => 0 } });
    sooner.connection.start();
    try {
      await sooner.until(({ rotations }) => rotations === 1);
      assert.equal(later.status().rotations, 0);
      await later.until(({ rotations }) => rotations === 1);
    } finally {
      await sooner.stop();
    }
  });
});

describe('a stop', () => {
  it('before start leaves nothing to start', async () => {
    make();
    await one.stop();
    assert.equal(one.status().state, 'stopped');
    assert.throws(() => one.connection.start());
  });

  it('waits for the click in hand, lets its ack out, and closes properly', async () => {
    let release: () => void = () => undefined;
    await up({ receive: () => new Promise((resolve) => (release = () => resolve({}))) });
    const { done } = push();
    await simulator.until(() => simulator.connections(app.appId)[0]?.pushed === 1);
    while (one.status().inHand === 0) await sleep(2);
    const closed = simulator.waitFor('connection.closed');
    const stopped = one.connection.stop(20_000);
    await sleep(60);
    assert.equal(live(), 1);
    release();
    assert.equal((await done).delivered, true);
    await stopped;
    assert.equal((await closed).data['code'], 1005);
    assert.deepEqual([one.status().state, one.status().openSockets, one.status().inHand], ['stopped', 0, 0]);
    await assertQuiet();
  });

  it('answers clicks that come while it waits', async () => {
    let release: () => void = () => undefined;
    let calls = 0;
    const receive: Receive = () => {
      calls += 1;
      return calls === 1 ? new Promise((resolve) => (release = () => resolve({}))) : Promise.resolve({});
    };
    await up({ receive });
    const first = push();
    while (one.status().inHand === 0) await sleep(2);
    const stopped = one.connection.stop(20_000);
    assert.equal((await push().done).delivered, true);
    release();
    await Promise.all([first.done, stopped]);
  });

  it('keeps its deadline when a handler hangs, and says how many it cut short', async () => {
    await up({ receive: never });
    push();
    while (one.status().inHand === 0) await sleep(2);
    const begun = Date.now();
    await one.connection.stop(300);
    assert.ok(Date.now() - begun < 3_000);
    assert.equal(one.log.of('ws.stopped')[0]?.['handlers_cut_short'], 1);
    await assertQuiet(100);
  });

  it('is one and the same for all who call it', async () => {
    await up();
    assert.equal(one.connection.stop(500), one.connection.stop(1));
    await one.stop();
    assert.equal(one.log.of('ws.stopped').length, 1);
  });

  const MOMENTS: [string, Fault][] = [
    ['while the endpoint is called', { on: 'api', api: 'endpoint', kind: 'hang' }],
    ['during the handshake', { on: 'handshake', kind: 'hang' }],
    ['before the first pong', { on: 'socket', kind: 'no_pong' }],
  ];
  for (const [name, fault] of MOMENTS) {
    it(`${name} ends at once, and nothing follows when it is answered late`, async () => {
      make();
      const reached = fault.on === 'socket' ? simulator.waitFor('connection.ping') : undefined;
      const set = simulator.faults.add(fault);
      one.connection.start();
      if (reached) await reached;
      else while (set.fired === 0) await sleep(2);
      await sleep(20);
      const begun = Date.now();
      await one.connection.stop(20_000);
      assert.ok(Date.now() - begun < 10_000);
      simulator.faults.clear();
      await assertQuiet(200);
    });
  }

  it('while an address is held back leaves no handshake behind when it is let go', async () => {
    make();
    const held = simulator.faults.add({ on: 'api', api: 'endpoint', kind: 'hold' });
    one.connection.start();
    await simulator.until(() => held.fired === 1);
    await one.stop();
    held.clear();
    await assertQuiet();
    assert.equal(most, 0);
  });

  it('inside the pause before an attempt cancels the attempt', async () => {
    await up({ timings: { reconnectBaseMs: 300, reconnectMaxMs: 300 }, deps: { random: () => 0.99 } });
    simulator.sockets(app.appId)[0]?.terminate();
    await one.until(({ state }) => state === 'reconnecting');
    await one.stop();
    await assertQuiet(600);
  });

  it('during a rotation closes both', async () => {
    await up({ timings: { rotateAfterMs: 60, retireMs: 5_000 }, receive: never });
    push();
    await one.until(({ rotations }) => rotations === 1);
    assert.equal(live(), 2);
    await one.connection.stop(300);
    await simulator.until(() => live() === 0);
    await assertQuiet();
  });

  it('leaves nothing behind that would keep the process alive, not even of connections that dropped', async () => {
    make();
    const script = fileURLToPath(new URL('../support/long-connection-process.ts', import.meta.url));
    const child = fork(script, [app.appId, app.appSecret, simulator.baseUrl], { execArgv: ['--import', 'tsx'] });
    let stopped = 0;
    child.on('message', (what) => {
      if (what === 'connected') simulator.sockets(app.appId)[0]?.terminate();
      else stopped = Date.now();
    });
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
    assert.ok(Date.now() - stopped < 5_000, `${Date.now() - stopped} ms`);
  });

  it('of a black hole keeps its deadline', async () => {
    await up();
    simulator.sockets(app.appId)[0]?.blackhole();
    const begun = Date.now();
    await one.connection.stop(20_000);
    assert.ok(Date.now() - begun < 10_000);
    assert.equal(one.status().openSockets, 0);
  });
});

describe('start, drops, rotations, refusals and stop in any order', () => {
  const ROUNDS = 12;
  for (let round = 1; round <= ROUNDS; round += 1) {
    it(`never leave more than two sockets, nor two loops (round ${round})`, async () => {
      make({
        timings: {
          rotateAfterMs: 30 + Math.random() * 60,
          reconnectBaseMs: 5,
          reconnectMaxMs: 20,
          refusedBaseMs: 10,
          refusedMaxMs: 20,
          limitRetryMs: 15,
          retireMs: 30,
          endpointTimeoutMs: 400,
          handshakeTimeoutMs: 400,
        },
        receive: () => sleep(Math.random() * 40, {}),
      });
      const acts: (() => void)[] = [
        () => one.connection.start(),
        () => simulator.sockets(app.appId).at(-1)?.terminate(),
        () => simulator.sockets(app.appId)[0]?.close(1001),
        () => push(),
        () => simulator.faults.add({ on: 'api', api: 'endpoint', kind: 'code', code: 1, times: 1 }),
        () => simulator.faults.add({ on: 'api', api: 'endpoint', kind: 'code', code: 514, data: 'null', times: 1 }),
        () => simulator.faults.add({ on: 'api', api: 'endpoint', kind: 'delay', ms: 30, times: 1 }),
        () => simulator.faults.add({ on: 'api', api: 'endpoint', kind: 'hang', times: 1 }),
        () => simulator.faults.add({ on: 'handshake', kind: 'delay', ms: 20, times: 1 }),
        () => simulator.faults.add({ on: 'handshake', kind: 'reset', times: 1 }),
        () => simulator.faults.add({ on: 'handshake', kind: 'accept_then_close', ms: 5, times: 1 }),
      ];
      for (let step = 0; step < 40; step += 1) {
        acts[Math.floor(Math.random() * acts.length)]?.();
        await sleep(Math.random() * 20);
      }
      assert.ok(most <= 2, `${most} sockets at once`);

      simulator.faults.clear();
      one.connection.start();
      await one.connected();
      const before = pulls();
      const { rotations, reconnects } = one.status();
      const failed = () => one.log.of('ws.connect_failed').length + one.log.of('ws.rotation_failed').length;
      const failedBefore = failed();
      await sleep(500);
      const later = one.status();
      const made = later.rotations - rotations + (later.reconnects - reconnects);
      const wasted = failed() - failedBefore;
      assert.ok(pulls() - before <= made + wasted + 1, 'each address pulled is for one connection: one loop only');
      assert.ok(live() <= 2 && most <= 2);

      await one.stop();
      await simulator.until(() => live() === 0);
      await assertQuiet(80);
      assert.equal(one.status().openSockets, 0);
    });
  }
});
