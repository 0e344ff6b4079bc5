/**
 * A real redis-server on a port of its own, for whole-daemon tests: append-only in a temporary folder, so it can be
 * killed, frozen and started again with its data, without, or as it was at an earlier moment.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../simulator/demo/free-port.js';

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** A connection for looking; closed by `close`. */
  readonly client: Redis;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port; `empty`: without its data; `from`: with what a snapshot holds. */
  start(options?: { empty?: boolean; from?: string }): Promise<void>;
  /**
   * Copies its files as they are now: everything that has been answered is in them, because Redis writes its log
   * before it answers. Names the folder, which goes with `close`.
   */
  snapshot(): Promise<string>;
  freeze(): void;
  thaw(): void;
  /** Every byte it holds: values of all keys, and its files. */
  dump(): Promise<Buffer>;
  close(): Promise<void>;
}

/** @param from a snapshot of another server, to begin with */
export async function newRedisServer(args: readonly string[] = [], from?: string): Promise<RedisServer> {
  const snapshots: string[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'authd-test-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | null = null;

  const start = async (options: { empty?: boolean; from?: string } = {}): Promise<void> => {
    if (options.empty === true || options.from !== undefined) {
      for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
    }
    if (options.from !== undefined) await cp(options.from, folder, { recursive: true });
    const base = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
    // What is answered has been written, so it outlives a kill; waiting for the disk would only outlive a power cut.
    child = spawn('redis-server', [...base, '--appendonly', 'yes', '--appendfsync', 'no', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // Not inherited: a server that outlives a killed test file would keep the runner waiting for the end of its output.
    child.stderr?.pipe(process.stderr, { end: false });
    await ready(child);
  };
  const kill = async (): Promise<void> => {
    const server = child;
    child = null;
    if (server === null || server.exitCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  };
  await start(from === undefined ? {} : { from });
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => undefined);

  return {
    url,
    port,
    client,
    kill,
    start,
    async snapshot() {
      const copy = await mkdtemp(join(tmpdir(), 'authd-test-snapshot-'));
      snapshots.push(copy);
      await cp(folder, copy, { recursive: true });
      return copy;
    },
    freeze: () => child?.kill('SIGSTOP'),
    thaw: () => child?.kill('SIGCONT'),
    async dump() {
      const parts: Buffer[] = [];
      for (const key of await client.keys('*')) {
        parts.push(Buffer.from(key));
        parts.push(await everything(client, key));
      }
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        if (entry.isFile()) parts.push(await readFile(join(entry.parentPath, entry.name)));
      }
      return Buffer.concat(parts);
    },
    async close() {
      client.disconnect();
      await kill();
      for (const each of [folder, ...snapshots]) await rm(each, { recursive: true, force: true });
    },
  };
}

async function everything(client: Redis, key: string): Promise<Buffer> {
  const flat = (list: readonly unknown[]): Buffer =>
    Buffer.concat(list.map((item) => (Buffer.isBuffer(item) ? item : Buffer.from(String(item)))));
  switch (await client.type(key)) {
    case 'string':
      return (await client.getBuffer(key)) ?? Buffer.alloc(0);
    case 'hash':
      return flat(Object.entries(await client.hgetall(key)).flat());
    case 'list':
      return flat(await client.lrange(key, 0, -1));
    case 'set':
      return flat(await client.smembers(key));
    case 'zset':
      return flat(await client.zrange(key, '0', '-1'));
    case 'stream':
      return Buffer.from(JSON.stringify(await client.xrange(key, '-', '+')));
    default:
      return Buffer.alloc(0);
  }
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`redis-server ended with ${code}: ${log}`)));
    server.stdout?.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (/ready to accept connections/i.test(log)) resolve();
    });
  });
}
