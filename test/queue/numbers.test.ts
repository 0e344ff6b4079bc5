/** The queues in numbers, on real BullMQ: how long due jobs wait, and BullMQ's own metrics as one valid text. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { DONE } from '../../src/domain/job.js';
import { QUEUES } from '../../src/queue/jobs.js';
import { bullmqText, readQueues } from '../../src/queue/numbers.js';
import { createProducer } from '../../src/queue/producer.js';
import { createWorkerPool } from '../../src/queue/worker.js';
import { createRedis } from '../../src/store/redis.js';
import { eventually } from '../support/crowd.js';
import { readMetrics } from '../support/prometheus.js';
import { newRedisServer } from '../support/redis-server.js';

const ID = 'as_0123456789abcdef_1';

async function newQueues(t: TestContext) {
  const server = await newRedisServer();
  t.after(() => server.close());
  await server.client.connect();
  const producer = createProducer({ connection: server.client, prefix: 'test:{q}', onError: () => undefined });
  t.after(() => producer.close());
  let now = Date.now();
  const ages = async () => {
    const numbers = await readQueues({ ...producer, now: () => now });
    return Object.fromEntries(numbers.map(({ name, oldestAgeSeconds }) => [name, Math.round(oldestAgeSeconds)]));
  };
  const later = (seconds: number): void => {
    now += seconds * 1000;
  };
  return { server, producer, ages, later };
}

describe('the age of the oldest due job', () => {
  it('is 0 for a queue without due jobs', async (t) => {
    const { ages, later, producer } = await newQueues(t);
    await producer.poll(ID, 1, 60_000);
    later(30);
    const found = await ages();
    assert.deepEqual(Object.keys(found).sort(), [...QUEUES].sort());
    assert.ok(
      Object.values(found).every((age) => age === 0),
      JSON.stringify(found),
    );
  });

  it('counts from when a delayed job was due, not from when it was made', async (t) => {
    const { ages, later, producer } = await newQueues(t);
    await producer.poll(ID, 1, 60_000);
    later(100);
    assert.equal((await ages())['device-poll'], 40);
  });

  it('counts a waiting job that was delayed from when it was due', async (t) => {
    const { ages, later, producer } = await newQueues(t);
    await producer.poll(ID, 1, 60_000);
    const job = await producer.queue('device-poll').getJob(`poll-${ID}-1`);
    await job?.promote();
    later(100);
    assert.equal((await ages())['device-poll'], 40);
  });

  it('counts a waiting job from its start, however many stand behind it', async (t) => {
    const { ages, later, producer } = await newQueues(t);
    await producer.cardUpdate(ID);
    later(30);
    for (let i = 2; i < 40; i += 1) await producer.cardUpdate(`as_0123456789abcdef_${i}`);
    assert.equal((await ages())['card-update'], 30);
  });

  it('takes no job that runs again and again for an old one, but is at least that of those behind it', async (t) => {
    const { ages, later, producer, server } = await newQueues(t);
    await producer.poll(ID, 1, 0);
    const job = await producer.queue('device-poll').getJob(`poll-${ID}-1`);
    await server.client.hset(producer.queue('device-poll').toKey(job?.id ?? ''), 'processedOn', Date.now());
    later(3_600);
    assert.equal((await ages())['device-poll'], 0);
    await producer.poll('as_0123456789abcdef_2', 1, 0);
    assert.ok(((await ages())['device-poll'] ?? 0) >= 3_599);
  });
});

describe("BullMQ's own metrics", () => {
  it('are its own lines in one valid text, with the jobs that were done', async (t) => {
    const { producer, server } = await newQueues(t);
    const nothing = async () => DONE;
    const pool = createWorkerPool({
      connect: () => createRedis('worker', { url: server.url, onError: () => undefined, onState: () => undefined }),
      prefix: 'test:{q}',
      processors: {
        'card-action': nothing,
        'device-poll': nothing,
        'session-expiry': nothing,
        'card-update': nothing,
        'token-refresh': nothing,
        maintenance: nothing,
      },
      onError: () => undefined,
      onFailed: () => undefined,
    });
    t.after(() => pool.abandon());
    for (let i = 0; i < 3; i += 1) await producer.link(ID, i);
    const completed = async (): Promise<number> => {
      const scraped = readMetrics(await bullmqText(producer.queue));
      return scraped.value('bullmq_job_completed_total', { queue: 'card-action' });
    };
    await eventually(async () => (await completed()) === 3, 20_000, 'three finished jobs');
    const text = await bullmqText(producer.queue);
    const scraped = readMetrics(text);
    for (const name of QUEUES) {
      const own = await producer.queue(name).exportPrometheusMetrics();
      for (const line of own.split('\n')) assert.ok(text.includes(line), line);
      assert.equal(scraped.value('bullmq_job_count', { queue: name, state: 'failed' }), 0);
    }
  });
});
