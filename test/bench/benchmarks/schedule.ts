/**
 * What it costs to take what is due out of a schedule that is ten and a hundred times as long: the schedule's own code
 * over a real Redis and a real queue, whose jobs are thrown away. Entries are written directly. Also how many bytes an
 * entry takes.
 */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { moveDue } from '../../../src/processors/refresh-schedule.js';
import { createProducer, type Producer } from '../../../src/queue/producer.js';
import { createEnvelope } from '../../../src/store/envelope.js';
import { createGrantVault } from '../../../src/store/grant-vault.js';
import { storeKeys } from '../../../src/store/keys.js';
import { createRefreshStore } from '../../../src/store/refresh-store.js';
import { newRedisServer } from '../../support/redis-server.js';
import type { BenchContext, Benchmark, Goal, Row } from '../benchmark.js';
import { BENCH_KEY } from '../daemon-process.js';
import { redisUsage } from '../redis-usage.js';
import { median } from '../statistics.js';

const SIZES = [10_000, 100_000, 1_000_000] as const;
/** Each takes a thousand entries, as many as the queue has room for; what was taken is due again half a minute later. */
const ROUNDS = 7;
const WARM_UP_ROUNDS = 5;
const APP = 'cli_0000000000000001';
const WARM_UP_APP = 'cli_0000000000000002';
/** Of one ZADD, and of one pipeline. */
const PER_COMMAND = 500;
const PER_PIPELINE = 50_000;
const HOUR_MS = 3_600_000;

export const schedule: Benchmark = {
  name: 'schedule',
  what: 'taking due grants out of a schedule of 10,000, 100,000 and 1,000,000 entries',
  seconds: 25,
  run: measure,
};

/** For one item that was taken. */
interface Measured {
  readonly size: number;
  readonly commands: number;
  /** Microseconds of the daemon's code and of Redis together. */
  readonly cpu: number;
}

async function measure(context: BenchContext): Promise<Row[]> {
  const server = await newRedisServer(['--appendonly', 'no']);
  context.after(() => server.close());
  const redis = server.client;
  const keys = storeKeys('authd');
  const envelope = createEnvelope([BENCH_KEY]);
  const vault = createGrantVault({ redis, keys, envelope, onDamaged: () => undefined });
  const store = createRefreshStore({ redis, keys, vault, owner: 'bench' });
  const jobs = createProducer({
    connection: redis,
    prefix: keys.queuePrefix,
    onError: (_queue, error) => context.fail(error),
  });
  context.after(() => jobs.close());
  const due = (appId: string): string => `${keys.base(appId)}:due`;
  const take = (appId: string): Promise<number> => moveDue({ appIds: [appId], store, jobs });

  await add(redis, due(WARM_UP_APP), WARM_UP_ROUNDS * 1_000);
  for (let count = 0; count < WARM_UP_ROUNDS; count += 1) await takeOnce(redis, jobs, () => take(WARM_UP_APP));
  const empty = (await redisUsage(redis)).memoryBytes;
  const results: Measured[] = [];
  let bytes = Number.NaN;
  for (const [i, size] of SIZES.entries()) {
    await add(redis, due(APP), size - (SIZES[i - 1] ?? 0));
    bytes = ((await redisUsage(redis)).memoryBytes - empty) / size;
    context.say(`${size.toLocaleString('en-US')} entries, ${bytes.toFixed(0)} bytes each`);
    const rounds: Measured[] = [];
    for (let count = 0; count < ROUNDS; count += 1) {
      rounds.push({ size, ...(await takeOnce(redis, jobs, () => take(APP))) });
    }
    const result = {
      size,
      commands: median(rounds.map(({ commands }) => commands)),
      cpu: median(rounds.map(({ cpu }) => cpu)),
    };
    results.push(result);
    context.say(`one taken: ${result.commands.toFixed(2)} commands, ${result.cpu.toFixed(0)} us`);
  }
  return rowsOf(results, bytes);
}

/** Takes as many as the queue has room for, and empties the queue. What the latter costs is not counted. */
async function takeOnce(
  redis: Redis,
  jobs: Producer,
  take: () => Promise<number>,
): Promise<Pick<Measured, 'commands' | 'cpu'>> {
  const before = { redis: await redisUsage(redis), own: process.cpuUsage() };
  const taken = await take();
  const own = process.cpuUsage(before.own);
  const after = await redisUsage(redis);
  if (taken === 0) throw new Error('nothing was due');
  await jobs.queue('token-refresh').obliterate({ force: true });
  return {
    commands: (after.commands - before.redis.commands) / taken,
    cpu: (own.user + own.system + (after.cpuMs - before.redis.cpuMs) * 1000) / taken,
  };
}

/** So many users more, due at some moment of the last hour. */
async function add(redis: Redis, key: string, count: number): Promise<void> {
  const now = Date.now();
  for (let from = 0; from < count; from += PER_PIPELINE) {
    const pipeline = redis.pipeline();
    const to = Math.min(count, from + PER_PIPELINE);
    for (let at = from; at < to; at += PER_COMMAND) {
      const size = Math.min(PER_COMMAND, to - at);
      const names = randomBytes(16 * size).toString('hex');
      const entries: (number | string)[] = [];
      for (let i = 0; i < size; i += 1) {
        entries.push(Math.round(now - HOUR_MS * Math.random()), `ou_${names.slice(32 * i, 32 * (i + 1))}`);
      }
      pipeline.zadd(key, ...entries);
    }
    await pipeline.exec();
  }
}

function rowsOf(results: readonly Measured[], bytes: number): Row[] {
  const [first, ...longer] = results;
  const goal: Goal = { of: 'ratio', bound: 'most', value: 1.2 };
  const against = (read: (result: Measured) => number) => ({
    what: `${SIZES[0].toLocaleString('en-US')} entries`,
    value: first === undefined ? Number.NaN : read(first),
  });
  const rows = longer.flatMap(({ commands, cpu, size }): Row[] => {
    const name = `Schedule of ${size.toLocaleString('en-US')} entries, one that is due`;
    return [
      {
        what: `${name}: Redis commands`,
        measured: commands,
        unit: '',
        baseline: against((result) => result.commands),
        goal,
      },
      { what: `${name}: processor time`, measured: cpu, unit: 'us', baseline: against((result) => result.cpu), goal },
    ];
  });
  const size = longer.at(-1)?.size.toLocaleString('en-US');
  return [
    ...rows,
    {
      what: `Schedule of ${size} entries: bytes for each user`,
      measured: bytes,
      unit: 'B',
      goal: { of: 'measured', bound: 'most', value: 200 },
    },
  ];
}
