import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { CallBudget, CallRequest, Turn } from '../../src/domain/call-budget.js';
import { createBudget } from '../../src/store/budget.js';
import { storeKeys } from '../../src/store/keys.js';
import { newClient } from '../support/exchange.js';
import { newRedisServer, type RedisServer } from '../support/redis-server.js';

const SECOND = 300;
const MINUTE = 2_400;
const MARGIN = 30;
const keys = storeKeys('test');

let redis: RedisServer;
const clients: Redis[] = [];
before(async () => {
  redis = await newRedisServer();
});
after(async () => {
  for (const client of clients) client.disconnect();
  await redis.close();
});

function connect(server: RedisServer = redis): Redis {
  const client = newClient(server.url);
  clients.push(client);
  return client;
}

const scaled = (): CallBudget =>
  createBudget({ redis: connect(), keys, marginMs: MARGIN, secondMs: SECOND, minuteMs: MINUTE });
const real = (): CallBudget => createBudget({ redis: connect(), keys });

const call = (api: string, more: Partial<CallRequest> = {}): CallRequest => ({
  appId: 'cli_00000000000000a1',
  api,
  perSecond: 5,
  perMinute: 100,
  maxWaitMs: 0,
  ...more,
});

/** The most calls in any window, for calls at these times. */
function mostWithin(windowMs: number, times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  let most = 0;
  let first = 0;
  for (const [index, time] of sorted.entries()) {
    while (time - (sorted[first] ?? time) >= windowMs) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

/** Calls like a client does: reserves, waits, "sends"; comes again when refused. Gives the number of calls. */
async function callUntil(deadline: number, budget: CallBudget, request: CallRequest): Promise<number> {
  let sent = 0;
  while (performance.now() < deadline) {
    const turn = await budget.reserve(request);
    await sleep(turn.granted ? turn.waitMs : Math.min(turn.retryAfterMs, 50));
    if (turn.granted) sent += 1;
  }
  return sent;
}

/** The times Redis writes into a log, as they are written: exact, however late this process hears of them. */
async function watchGrants(log: string): Promise<{ readonly times: number[]; stop(): void }> {
  const times: number[] = [];
  const monitor = await connect().monitor();
  monitor.on('monitor', (_time: string, [command, key, entry]: string[]) => {
    if (command?.toLowerCase() === 'lpush' && key === log) times.push(Number(entry));
  });
  return { times, stop: () => monitor.disconnect() };
}

/**
 * Asked for all at once: one connection keeps their order, and no "second" ends between two of them because this process
 * was late.
 */
const inOneGo = (budget: CallBudget, requests: readonly CallRequest[]): Promise<Turn[]> =>
  Promise.all(requests.map((request) => budget.reserve(request)));

const times = (count: number, request: CallRequest): CallRequest[] => Array.from({ length: count }, () => request);

const grants = (budget: CallBudget, request: CallRequest, count: number): Promise<Turn[]> =>
  inOneGo(budget, times(count, request));

const grantedAtOnce = (turns: readonly Turn[]): number =>
  turns.filter((turn) => turn.granted && turn.waitMs === 0).length;

describe('call budget', () => {
  it('lets no second and no minute hold more than its bound, however many clients call at once', async () => {
    const request = call('crowd', { perSecond: 10, perMinute: 40, maxWaitMs: 400 });
    const watched = await watchGrants(`${keys.base(request.appId)}:budget:log:crowd`);
    const deadline = performance.now() + 2 * MINUTE;
    const clients = Array.from({ length: 6 }, scaled);
    // Two callers on each connection: both races, between processes and within one.
    const counts = await Promise.all([...clients, ...clients].map((budget) => callUntil(deadline, budget, request)));
    watched.stop();
    assert.equal(
      watched.times.length,
      counts.reduce((sum, count) => sum + count, 0),
    );
    assert.ok(
      mostWithin(SECOND + MARGIN, watched.times) <= 10,
      `${mostWithin(SECOND + MARGIN, watched.times)} a second`,
    );
    assert.ok(
      mostWithin(MINUTE + MARGIN, watched.times) <= 40,
      `${mostWithin(MINUTE + MARGIN, watched.times)} a minute`,
    );
    assert.ok(watched.times.length >= 75, `only ${watched.times.length} calls in two minutes of 40`);
  });

  it('grants first come, first served, each with the wait until its turn', async () => {
    const turns = await grants(scaled(), call('queue', { maxWaitMs: 1_000 }), 12);
    const waits = turns.map((turn) => (turn.granted ? turn.waitMs : -1));
    assert.deepEqual(waits.slice(0, 5), [0, 0, 0, 0, 0]);
    assert.ok(
      waits.slice(5, 10).every((wait) => wait > 250 && wait <= SECOND + MARGIN),
      String(waits),
    );
    assert.ok(
      waits.slice(10).every((wait) => wait > 580 && wait <= 2 * (SECOND + MARGIN)),
      String(waits),
    );
  });

  it('lets nobody overtake those who wait, not even with wider bounds', async () => {
    const narrow = call('line', { perSecond: 1, maxWaitMs: 1_000 });
    const turns = await inOneGo(scaled(), [narrow, narrow, { ...narrow, perSecond: 50 }]);
    const later = turns.at(-1);
    assert.ok(later?.granted && later.waitMs > 250, JSON.stringify(later));
  });

  it('takes nothing when the wait would be too long, and says when to come again', async () => {
    const budget = scaled();
    const turns = await grants(budget, call('full'), 55);
    assert.equal(grantedAtOnce(turns.slice(0, 5)), 5);
    const refusals = turns.slice(5);
    assert.ok(refusals.every((turn) => !turn.granted && turn.retryAfterMs > 0 && turn.retryAfterMs <= 330));
    const last = refusals.at(-1);
    assert.ok(last !== undefined && !last.granted);
    await sleep(SECOND + MARGIN + 5);
    assert.equal(grantedAtOnce(await grants(budget, call('full'), 5)), 5, 'fifty refusals have cost nothing');
  });

  it('keeps apps and APIs apart', async () => {
    const others = [call('one'), call('two'), call('one', { appId: 'cli_00000000000000b2' })];
    const turns = await inOneGo(scaled(), [...times(5, call('one')), ...others]);
    assert.deepEqual(
      turns.slice(5).map(({ granted }) => granted),
      [false, true, true],
    );
  });

  it('stops one message at its own bound without delaying the others', async () => {
    const of = (message: string): CallRequest =>
      call('patch', { perSecond: 50, maxWaitMs: 1_000, also: [{ id: `message:${message}`, perSecond: 2 }] });
    const turns = await inOneGo(scaled(), [...times(12, of('hot')), of('calm')]);
    const refused = turns.slice(2, 12);
    assert.ok(refused.every((turn) => !turn.granted && turn.retryAfterMs <= SECOND + MARGIN));
    assert.deepEqual(turns[12], { granted: true, waitMs: 0 });
  });

  it('holds a class of calls to its share and leaves the rest to others', async () => {
    const poll = call('token', { perSecond: 10, share: { name: 'poll', part: 0.6 } });
    const turns = await inOneGo(scaled(), [...times(20, poll), ...times(20, call('token', { perSecond: 10 }))]);
    assert.deepEqual([grantedAtOnce(turns.slice(0, 20)), grantedAtOnce(turns.slice(20))], [6, 4]);
  });

  it('holds everybody back for a pause, and the longer of two pauses counts', async () => {
    const budget = scaled();
    const others = [scaled(), scaled()] as const;
    // All are connected before the pause begins.
    for (const each of [budget, ...others]) await each.pausedForMs('cli_00000000000000a1', 'paused');
    await others[0].pause('cli_00000000000000a1', 'paused', 2_000);
    await others[1].pause('cli_00000000000000a1', 'paused', 20);
    const refused = await budget.reserve(call('paused'));
    assert.ok(!refused.granted && refused.retryAfterMs > 200, JSON.stringify(refused));
    assert.ok((await budget.pausedForMs('cli_00000000000000a1', 'paused')) > 200);
    assert.equal(await budget.pausedForMs('cli_00000000000000a1', 'other'), 0);
    const waiting = await budget.reserve(call('paused', { maxWaitMs: 2_000 }));
    assert.ok(waiting.granted && waiting.waitMs > 200, JSON.stringify(waiting));
  });

  it('pauses one message alone when told which', async () => {
    const budget = scaled();
    const of = (id: string): CallRequest => call('hold', { also: [{ id, perSecond: 5 }] });
    await budget.pause('cli_00000000000000a1', 'hold', 2_000, 'message:a');
    assert.equal((await budget.reserve(of('message:a'))).granted, false);
    assert.equal((await budget.reserve(of('message:b'))).granted, true);
  });

  it("stays below Feishu's 50 a second by a margin for jitter on the way", async () => {
    const turns = await grants(real(), call('tier4', { perSecond: 50, perMinute: 1_000, maxWaitMs: 2_000 }), 51);
    assert.equal(grantedAtOnce(turns), 50);
    const next = turns.at(-1);
    assert.ok(next?.granted && next.waitMs > 1_000 && next.waitMs <= 1_400, JSON.stringify(next));
  });

  it('starts over when the clock of Redis was set back instead of waiting for the old time', async () => {
    const raw = connect();
    const key = `${keys.base('cli_00000000000000a1')}:budget:log:clock`;
    await raw.lpush(key, Date.now() + 3_600_000);
    assert.deepEqual(await real().reserve(call('clock')), { granted: true, waitMs: 0 });
  });

  it('takes limits and waits that are no sense as the least there is', async () => {
    const odd = call('odd', { perSecond: Number.NaN, perMinute: -1, maxWaitMs: Number.NaN });
    assert.deepEqual(await scaled().reserve(odd), { granted: true, waitMs: 0 });
    assert.equal((await scaled().reserve(odd)).granted, false);
  });

  it('leaves no key behind that does not expire, and one hash tag for all of them', async () => {
    const raw = connect();
    await grants(scaled(), call('ttl', { also: [{ id: 'message:m', perSecond: 5 }] }), 2);
    const found = await raw.keys('*');
    assert.ok(found.length > 5);
    for (const key of found) {
      assert.match(key, /^test:\{cli_[0-9a-f]{16}\}:budget:/);
      assert.notEqual(await raw.pttl(key), -1, key);
    }
  });

  it('rejects when Redis is gone', async () => {
    const own = await newRedisServer();
    const budget = createBudget({ redis: connect(own), keys });
    await budget.reserve(call('gone'));
    await own.kill();
    await assert.rejects(budget.reserve(call('gone')));
    await own.close();
  });
});
