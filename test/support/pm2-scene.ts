/**
 * What an operator has on a host: pm2, the shipped ecosystem file, a folder with config.json and one file per secret,
 * a Redis (behind a relay, so that it can be away) and Feishu in a box.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { freePort } from '../simulator/demo/free-port.js';
import type { App } from '../simulator/directory.js';
import { type Simulator, startSimulator } from '../simulator/index.js';
import type { AskingScene } from './crowd.js';
import type { Answer } from './daemon.js';
import { newPm2, type Pm2 } from './pm2.js';
import { newRedisServer, type RedisServer } from './redis-server.js';
import { newTcpRelay, type TcpRelay } from './tcp-relay.js';

export const GATEWAY_A = 'feishu-authd-gateway-a';
export const GATEWAY_B = 'feishu-authd-gateway-b';
export const WORKER = 'feishu-authd';
export const ROOT = resolve(import.meta.dirname, '../..');
export const ECOSYSTEM = join(ROOT, 'ecosystem.config.cjs');

export interface Pm2Scene extends AskingScene {
  readonly sim: Simulator;
  readonly app: App;
  readonly redis: RedisServer;
  readonly relay: TcpRelay;
  readonly pm2: Pm2;
  /** By name: what must not be written to disk by pm2. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Writes config.json again, with these settings over the usual ones. */
  configure(settings: Readonly<Record<string, unknown>>): Promise<void>;
  /** Writes the file of a secret again; resolves with what was in it. */
  changeSecret(file: string, text: string): Promise<string>;
  /** Status of `/readyz` of a process by the offset of its port; 0 when it does not answer. */
  readyz(process: 'api' | 'a' | 'b'): Promise<number>;
  allReady(timeoutMs: number): Promise<void>;
}

const PORT_OF = { api: 0, a: 1, b: 2 } as const;

export async function newPm2Scene(t: Pick<TestContext, 'after'>, bin: string): Promise<Pm2Scene> {
  const closers: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) await next();
  });
  // Feishu gives up after 3 s; here a late ack can be told from a lost one.
  const sim = await startSimulator({ deviceIntervalSeconds: 1, limits: { ackTimeoutMs: 20_000 } });
  closers.push(() => sim.close());
  const redis = await newRedisServer(['--appendfsync', 'everysec']);
  closers.push(() => redis.close());
  const relay = await newTcpRelay();
  closers.push(() => relay.close());
  relay.target(redis.port);
  const app = sim.addApp({ name: 'Docs Bot' });

  const folder = await mkdtemp(join(tmpdir(), 'authd-pm2-etc-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const port = await threeFreePorts();
  const configure: Pm2Scene['configure'] = async (settings) => {
    const usual = {
      feishu_app_id: app.appId,
      feishu_api_base_url: sim.baseUrl,
      feishu_accounts_base_url: sim.baseUrl,
      feishu_applink_base_url: sim.baseUrl,
      state_dir: join(folder, 'state'),
      card_limit_per_user_per_hour: 1_000,
      ws_reconnect_base_ms: 100,
    };
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...usual, ...settings }));
  };
  await configure({});
  const apiKey = randomBytes(24).toString('hex');
  const encryptionKey = randomBytes(32).toString('base64');
  await writeSecrets(join(folder, 'secrets'), {
    feishu_app_secret: app.appSecret,
    token_encryption_keys: `k1:${encryptionKey}`,
    api_keys: `tester:${apiKey}`,
    redis_url: `redis://127.0.0.1:${relay.port}`,
  });
  // An operator who has tried it by hand before has secrets in his shell.
  const shellSecret = randomBytes(24).toString('hex');
  const pm2 = await newPm2(bin, ROOT, {
    FEISHU_AUTHD_CONFIG_DIR: folder,
    FEISHU_AUTHD_PORT: String(port),
    FEISHU_APP_SECRET: app.appSecret,
    TOKEN_ENCRYPTION_KEYS: `k1:${encryptionKey}`,
    SOME_OTHER_PASSWORD: shellSecret,
  });
  closers.push(() => pm2.close());

  const readyz: Pm2Scene['readyz'] = async (process) => {
    const url = `http://127.0.0.1:${port + PORT_OF[process]}/readyz`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => null);
    await answer?.arrayBuffer();
    return answer?.status ?? 0;
  };
  return {
    sim,
    app,
    redis,
    relay,
    pm2,
    secrets: new Map([
      ['app secret', app.appSecret],
      ['encryption key', encryptionKey],
      ['API key', apiKey],
      ['secret of the shell', shellSecret],
    ]),
    daemon: { call: (method, path, body) => call(`http://127.0.0.1:${port}${path}`, method, body, apiKey) },
    configure,
    async changeSecret(file, text) {
      const path = join(folder, 'secrets', file);
      const before = await readFile(path, 'utf8');
      await writeFile(path, text);
      return before;
    },
    readyz,
    async allReady(timeoutMs) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const answers = await Promise.all([readyz('api'), readyz('a'), readyz('b')]);
        if (answers.every((status) => status === 200)) return;
        if (Date.now() > deadline) throw new Error(`not ready within ${timeoutMs} ms: api, a, b answer ${answers}`);
        await new Promise((done) => setTimeout(done, 50));
      }
    },
  };
}

async function writeSecrets(folder: string, secrets: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { mode: 0o700 });
  for (const [name, text] of Object.entries(secrets)) {
    await writeFile(join(folder, name), `${text}\n`);
    await chmod(join(folder, name), 0o600);
  }
}

async function call(url: string, method: string, body: unknown, apiKey: string): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, text, body: isJson && text ? JSON.parse(text) : null };
}

/** The ecosystem file counts upwards from the API's port. */
async function threeFreePorts(): Promise<number> {
  for (;;) {
    const first = await freePort();
    const free = await Promise.all([first + 1, first + 2].map(isFree));
    if (first < 65_000 && free.every(Boolean)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
