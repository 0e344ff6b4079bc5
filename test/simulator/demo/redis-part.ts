/**
 * The demo's Redis: a private redis-server with what the daemon asks for (append-only file, noeviction), or one that
 * is there already (DEMO_REDIS_URL), where only keys under the demo's own prefix are touched and removed at the end.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';
import { Part } from './part.js';
import { waitFor } from './wait.js';

const READY_MS = 10_000;
const SCAN_COUNT = 500;

export async function startRedis(options: { command: string; folder: string }): Promise<{ part: Part; url: string }> {
  const [port, folder] = [await freePort(), join(options.folder, 'redis')];
  await mkdir(folder);
  const part = new Part({
    name: 'redis-server',
    command: options.command,
    args: [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--daemonize', 'no', '--save', ''],
      // Its title would hide environment and arguments, by which leftovers are recognised.
      ...['--set-proc-title', 'no'],
      ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'],
    ],
    env: { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'], TEST_RUN_ID: process.env['TEST_RUN_ID'] },
    cwd: folder,
  });
  return { part, url: `redis://127.0.0.1:${port}` };
}

/** Resolves once commands are answered. */
export async function redisReady(url: string, signal: AbortSignal): Promise<void> {
  await waitFor(async () => ((await withRedis(url, (redis) => redis.ping())) === 'PONG' ? true : undefined), {
    what: 'Redis to answer',
    timeoutMs: READY_MS,
    signal,
  });
}

/** For a Redis that runs already: it answers now or something is wrong with its address. */
export async function needRedis(url: string): Promise<void> {
  await withRedis(url, (redis) => redis.ping()).catch((error: unknown) => {
    // The address may hold a password: it is not repeated here.
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the Redis of DEMO_REDIS_URL does not answer (${reason}).`, { cause: error });
  });
}

/** Deletes the keys of this demo run from a Redis that is not ours to throw away. */
export async function removeKeys(url: string, prefix: string): Promise<void> {
  await withRedis(url, async (redis) => {
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', `*${prefix}*`, 'COUNT', SCAN_COUNT);
      if (keys.length > 0) await redis.unlink(...keys);
      cursor = next;
    } while (cursor !== '0');
  });
}

async function withRedis<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 2000,
    commandTimeout: 2000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // A refused command only says that the connection is closed; the event says why.
  let cause: Error | undefined;
  redis.on('error', (error: Error) => {
    cause = error;
  });
  try {
    await redis.connect();
    return await use(redis);
  } catch (error) {
    throw cause ?? error;
  } finally {
    redis.disconnect();
  }
}
