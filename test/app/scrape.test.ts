/** What a scrape reads from Redis: the right numbers, the same few commands whatever Redis holds, and no waiting. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { createFleetReads } from '../../src/app/fleet-reads.js';
import { createScrape } from '../../src/app/scrape.js';
import { createProducer } from '../../src/queue/producer.js';
import { createBudget } from '../../src/store/budget.js';
import { createEnvelope } from '../../src/store/envelope.js';
import { storeKeys } from '../../src/store/keys.js';
import { createRedis } from '../../src/store/redis.js';
import { createSpool } from '../../src/store/spool.js';
import { eventually } from '../support/crowd.js';
import { inTime } from '../support/in-time.js';
import { fillSessions } from '../support/many-sessions.js';
import { newMetrics } from '../support/metrics.js';
import { readMetrics } from '../support/prometheus.js';
import { newRedisServer } from '../support/redis-server.js';

const APP = 'cli_0123456789abcdef';
const HOUR = 3_600_000;

async function newScrape(t: TestContext, { redisArgs = [] }: { redisArgs?: string[] } = {}) {
  const server = await newRedisServer(redisArgs);
  t.after(() => server.close());
  const stateDir = await mkdtemp(join(tmpdir(), 'authd-test-state-'));
  t.after(() => rm(stateDir, { recursive: true, force: true }));
  const open = (use: 'store' | 'queue'): Redis => {
    const redis = createRedis(use, { url: server.url, onError: () => undefined, onState: () => undefined });
    t.after(() => redis.disconnect());
    return redis;
  };
  const redis = open('store');
  const logger = pino({ level: 'silent' });
  const keys = storeKeys('test');
  const envelope = createEnvelope([{ id: 'k1', key: randomBytes(32) }]);
  const budget = createBudget({ redis, keys });
  const spool = createSpool({ stateDir, envelope, logger });
  await spool.prepare();
  await redis.connect();
  const queueRedis = open('queue');
  const producer = createProducer({ connection: queueRedis, prefix: keys.queuePrefix, onError: () => undefined });
  const reads = createFleetReads({
    config: { apps: [{ appId: APP }] },
    store: { redis, keys, envelope, budget },
    producer: () => producer,
    now: Date.now,
  });
  const scrape = createScrape({
    metrics: newMetrics({ appIds: [APP] }),
    reads,
    store: { spool },
    producer: () => producer,
    connections: () => [],
    logger,
  });
  const read = async () => readMetrics((await scrape()).text);
  return { server, redis, keys, envelope, budget, stateDir, producer, scrape, read };
}

/** Calls of each Redis command that `work` leads to, those made inside scripts included. */
async function commandsOf(redis: Redis, work: () => Promise<unknown>): Promise<Record<string, number>> {
  await redis.config('RESETSTAT');
  await work();
  const info = await redis.info('commandstats');
  const calls = [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name, count]) => [name, Number(count)]);
  return Object.fromEntries(calls);
}

/**
 * Commands that take the same time, or that of a search by halves, however much a key holds; and those of BullMQ and
 * of the keyring on keys that hold a handful: the first due job, the totals of a queue, the list of our keys.
 */
const CHEAP = new Set([
  ...['zcard', 'zcount', 'llen', 'lindex', 'time', 'info', 'evalsha', 'config|resetstat', 'hmget'],
  ...['zrange', 'lrange', 'hgetall'],
]);

describe('a scrape', () => {
  it('takes the same few commands with 100,000 sessions as with none', async (t) => {
    const { keys, read, scrape, server } = await newScrape(t);
    await server.client.connect();
    await read();
    const empty = await commandsOf(server.client, scrape);
    await fillSessions(server.client, keys, APP, { count: 100_000 });
    const full = await commandsOf(server.client, scrape);
    assert.deepEqual(full, empty);
    const others = Object.keys(full).filter((command) => !CHEAP.has(command));
    assert.deepEqual(others, [], 'commands that may walk over what Redis holds');
    const total = Object.values(full).reduce((sum, calls) => sum + calls, 0);
    assert.ok(total < 250, `${total} commands: ${JSON.stringify(full)}`);
    const scraped = await read();
    assert.equal(scraped.value('lark_service_auth_session_active', { app_id: APP }), 100_000);
    assert.equal(scraped.value('lark_service_token_active_count', { app_id: APP }), 100_000);
    assert.equal(scraped.value('lark_service_queue_jobs', { queue: 'session-expiry', state: 'delayed' }), 100_000);
  });

  it('counts grants that end within an hour, a day and a week, and no ended ones', async (t) => {
    const { keys, read, redis } = await newScrape(t);
    const ends = [-HOUR, HOUR / 2, 2 * HOUR, 50 * HOUR, 1_000 * HOUR];
    for (const [i, inMs] of ends.entries()) await redis.zadd(`${keys.base(APP)}:grants`, Date.now() + inMs, `ou_${i}`);
    const scraped = await read();
    const within = (span: string): number => scraped.value('lark_service_grants_expiring', { within: span });
    assert.deepEqual([within('1h'), within('1d'), within('7d')], [1, 2, 3]);
    assert.equal(scraped.value('lark_service_token_active_count', { app_id: APP }), 4);
  });

  it('tells how much of the minute of each API is used', async (t) => {
    const { budget, keys, read, redis } = await newScrape(t);
    const call = { appId: APP, api: 'im.message.create', perSecond: 1_000, perMinute: 1_000, maxWaitMs: 0 };
    for (let i = 0; i < 100; i += 1) await budget.reserve(call);
    const used = async (api: string) => (await read()).value('lark_service_api_budget_used_ratio', { api });
    assert.equal(await used('im.message.create'), 0.1);
    assert.equal(await used('oauth.token'), 0);
    const log = `${keys.base(APP)}:budget:log:im.message.create`;
    await redis.rpush(log, ...Array.from({ length: 50 }, () => Date.now() - 61_000));
    assert.equal(await used('im.message.create'), 0.1, 'calls of the minute before do not count');
  });

  it('tells whether Redis keeps what it takes', async (t) => {
    const { read, server } = await newScrape(t);
    await server.client.connect();
    const ok = async () => (await read()).value('lark_service_redis_persistence_ok');
    assert.equal(await ok(), 1);
    await server.client.config('SET', 'appendonly', 'no');
    assert.equal(await ok(), 0);
  });

  it('tells of a key in the store that this process does not have, and of entries in its spool', async (t) => {
    const { envelope, keys, read, redis, stateDir } = await newScrape(t);
    await redis.hset(keys.keyChecks, 'k1', envelope.checkValue('k1'));
    const before = await read();
    assert.equal(before.value('lark_service_encryption_key_missing'), 0);
    assert.equal(before.value('lark_service_spool_entries'), 0);
    await redis.hset(keys.keyChecks, 'k2', 'the check value of a key of another process');
    await writeFile(join(stateDir, 'spool', '1-as_x-0.sealed'), 'does not open');
    const after = await read();
    assert.equal(after.value('lark_service_encryption_key_missing'), 1);
    assert.equal(after.value('lark_service_spool_entries'), 1);
  });

  it('is shared by those who come at the same moment', async (t) => {
    const { scrape, server } = await newScrape(t);
    await server.client.connect();
    await scrape();
    const one = await commandsOf(server.client, scrape);
    const twenty = await commandsOf(server.client, () => Promise.all(Array.from({ length: 20 }, scrape)));
    assert.deepEqual(twenty, one);
    const texts = await Promise.all(Array.from({ length: 20 }, async () => (await scrape()).text));
    assert.deepEqual([...new Set(texts)], [texts[0]]);
    assert.match(texts[0] ?? '', /^lark_service_redis_persistence_ok 1$/m);
  });

  it('answers in time while Redis is frozen, without what it does not know, and as before afterwards', async (t) => {
    const { read, server } = await newScrape(t);
    const fleet = (scraped: Awaited<ReturnType<typeof read>>): number =>
      scraped.all('lark_service_auth_session_active').length + scraped.all('bullmq_job_count').length;
    const before = fleet(await read());
    assert.ok(before > 1);
    server.freeze();
    t.after(() => server.thaw());
    const tookMs: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      const startedAt = performance.now();
      const scraped = await read();
      tookMs.push(performance.now() - startedAt);
      assert.equal(fleet(scraped), 0);
      assert.equal(scraped.value('lark_service_spool_entries'), 0);
      assert.ok(scraped.value('process_start_time_seconds') > 0);
    }
    // The first waits a second; the next ones do not line up behind what still hangs.
    assert.ok(Math.min(...tookMs.slice(1)) < 900, String(tookMs));
    server.thaw();
    await eventually(async () => fleet(await read()) === before, 20_000, 'all gauges to be back');
  });

  it('has nothing to say about a Redis that is away', async (t) => {
    const { read, redis, server } = await newScrape(t);
    const closed = once(redis, 'close');
    await server.kill();
    await closed;
    await inTime(900, async () => {
      const scraped = await read();
      assert.deepEqual(scraped.all('lark_service_redis_persistence_ok'), []);
      assert.deepEqual(scraped.all('lark_service_queue_jobs'), []);
    });
  });
});
