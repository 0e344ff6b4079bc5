import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Queue } from 'bullmq';
import type { QueueName } from '../../src/queue/jobs.js';
import { createProducer, type Producer } from '../../src/queue/producer.js';
import { createQueueWatch, type QueueWatch } from '../../src/queue/watch.js';
import { captureLog } from '../support/captured-log.js';
import { newRedisServer, type RedisServer } from '../support/redis-server.js';

const NAME: QueueName = 'device-poll';
const DATA = { session_id: 'as_1', link_number: 1 };

describe('the watch over a queue whose worker has been idle for long', () => {
  let redis: RedisServer;
  let producer: Producer;
  let queue: Queue;
  before(async () => {
    redis = await newRedisServer();
    producer = createProducer({ connection: redis.client, prefix: 'test:{q}', onError: () => undefined });
    queue = producer.queue(NAME);
  });
  after(async () => {
    await producer.close();
    await redis.close();
  });

  const newWatch = (now: () => number = Date.now): { watch: QueueWatch; rebuilt: QueueName[] } => {
    const rebuilt: QueueName[] = [];
    const watch = createQueueWatch({
      queues: [NAME],
      queue: () => queue,
      nextDueAt: (name) => producer.nextDueAt(name),
      workers: { isRunning: () => true, lastProgressAt: () => 0, rebuild: (name) => rebuilt.push(name) },
      repeating: [],
      onError: (error) => assert.fail(String(error)),
      now,
      logger: captureLog().logger,
    });
    return { watch, rebuilt };
  };

  it('leaves it alone while the job waits for its time, however old the job is', async () => {
    const job = await queue.add('poll', DATA, { timestamp: Date.now() - 600_000, delay: 1_000 });
    await job.changeDelay(15_000);
    const { rebuilt, watch } = newWatch();
    await watch.look();
    assert.deepEqual([rebuilt, watch.stalled()], [[], []]);
    await job.remove();
  });

  it('leaves it alone when an old job has only just come to its turn', async () => {
    const job = await queue.add('poll', DATA, { timestamp: Date.now() - 600_000 });
    const { rebuilt, watch } = newWatch();
    await watch.look();
    assert.deepEqual(rebuilt, []);
    await job.remove();
  });

  it('replaces the worker when the same job is first in the line look after look', async () => {
    const job = await queue.add('poll', DATA);
    let now = Date.now();
    const { rebuilt, watch } = newWatch(() => now);
    await watch.look();
    now += 5_000;
    await watch.look();
    assert.deepEqual(rebuilt, []);
    now += 5_000;
    await watch.look();
    assert.deepEqual(rebuilt, [NAME]);
    await job.remove();
  });

  it('replaces the worker when a delayed job is long overdue', async () => {
    const job = await queue.add('poll', DATA, { delay: 60_000 });
    await redis.client.zadd('test:{q}:device-poll:delayed', (Date.now() - 20_000) * 0x1000, job.id ?? '');
    const { rebuilt, watch } = newWatch();
    await watch.look();
    assert.deepEqual([rebuilt, watch.stalled()], [[NAME], [NAME]]);
    await job.remove();
  });
});
