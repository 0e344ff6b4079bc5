/** The built daemon under load: production's settings (log level info, JSON lines), apps from a configuration file. */
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { EncryptionKey } from '../../src/config/config.js';
import { freePort } from '../simulator/demo/free-port.js';
import type { BenchContext } from './benchmark.js';
import { type Child, startChild } from './child.js';

export interface BenchDaemon {
  readonly process: Child;
  /** From its spawn to the first 200 of /readyz. */
  readonly readyMs: number;
  readonly port: number;
  /** @throws Error unless the answer's status is one of the 200s */
  call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Readonly<Record<string, unknown>>>;
  /** Milliseconds until the whole answer is there. @throws Error unless its status is 200 */
  time(path: string): Promise<number>;
}

export interface BenchDaemonOptions {
  readonly feishuUrl: string;
  readonly redisUrl: string;
  readonly apps: readonly { readonly appId: string; readonly appSecret: string }[];
  /** Who may read tokens, beside the one that `call` calls as. */
  readonly readers?: readonly Reader[];
  /** More settings. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A client of the API. */
export interface Reader {
  readonly id: string;
  readonly secret: string;
}

const MAIN = resolve(import.meta.dirname, '../../dist/main.js');
/** The same for all starts: a second one may find the first one's Redis, or grants that a benchmark has put there. */
export const BENCH_KEY: EncryptionKey = { id: 'k1', key: randomBytes(32) };
const READY_LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 10;
const REQUEST_MS = 30_000;

/** Resolves when it is ready. */
export async function startDaemon(context: BenchContext, options: BenchDaemonOptions): Promise<BenchDaemon> {
  const port = await freePort();
  const secret = randomBytes(24).toString('hex');
  const configFile = join(context.folder, `daemon-${port}.json`);
  const apps = options.apps.map(({ appId, appSecret }) => ({ app_id: appId, app_secret: appSecret }));
  const clients = options.readers?.map(({ id, secret: shown }) => ({
    id,
    display_name: { zh_cn: id, en_us: id },
    secret_sha256: [createHash('sha256').update(shown).digest('hex')],
    actions: ['token', 'admin'],
  }));
  await writeFile(configFile, JSON.stringify({ apps, clients }), { mode: 0o600 });
  const child = startChild(context, {
    name: `daemon-${port}`,
    args: [MAIN, 'start'],
    env: {
      CONFIG_FILE: configFile,
      FEISHU_API_BASE_URL: options.feishuUrl,
      FEISHU_ACCOUNTS_BASE_URL: options.feishuUrl,
      FEISHU_APPLINK_BASE_URL: options.feishuUrl,
      REDIS_URL: options.redisUrl,
      TOKEN_ENCRYPTION_KEYS: `${BENCH_KEY.id}:${BENCH_KEY.key.toString('base64')}`,
      API_KEYS: `bench:${secret}`,
      HTTP_PORT: String(port),
      STATE_DIR: join(context.folder, `state-${port}`),
      LOG_FORMAT: 'json',
      ...options.env,
    },
  });
  const baseUrl = `http://127.0.0.1:${port}`;
  const readyMs = await firstReady(child, `${baseUrl}/readyz`);
  return {
    process: child,
    readyMs,
    port,
    async call(method, path, body) {
      const response = await fetch(baseUrl + path, {
        method,
        headers: {
          authorization: `Bearer ${secret}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_MS),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return JSON.parse(text) as Record<string, unknown>;
    },
    async time(path) {
      const startedAt = performance.now();
      const response = await fetch(baseUrl + path, { headers: { authorization: `Bearer ${secret}` } });
      await response.arrayBuffer();
      if (response.status !== 200) throw new Error(`GET ${path}: ${response.status}`);
      return performance.now() - startedAt;
    },
  };
}

async function firstReady(child: Child, url: string): Promise<number> {
  while (!child.hasEnded()) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(REQUEST_MS) }).catch(() => null);
    const tookMs = performance.now() - child.startedAt;
    await answer?.arrayBuffer();
    if (answer?.status === 200) return tookMs;
    if (tookMs > READY_LIMIT_MS) throw new Error(`the daemon was not ready within ${READY_LIMIT_MS} ms`);
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }
  throw new Error('the daemon has ended');
}
