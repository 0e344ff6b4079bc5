/**
 * The daemon as shipped, in a process of its own: `node dist/main.js start`. A test sees what an operator and a client
 * see: log lines, HTTP answers, exit code; and can stop, freeze and kill it.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export type LogLine = Readonly<Record<string, unknown>> & { readonly event?: string };

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  readonly body: any;
  readonly text: string;
}

export interface Daemon {
  readonly pid: number;
  readonly lines: readonly LogLine[];
  /** Everything written to standard output and standard error so far. */
  output(): string;
  readonly apiKey: string;
  readonly encryptionKey: string;
  readonly stateDir: string;
  baseUrl(): string;
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** The first line, past or to come, that matches. */
  line(event: string, matches?: (line: LogLine) => boolean, timeoutMs?: number): Promise<LogLine>;
  /** Waits until `/readyz` answers this status. */
  readiness(status: number, timeoutMs?: number): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Resolves with the exit code; null after a kill. */
  exited(timeoutMs?: number): Promise<number | null>;
  /** Starts it again with the same settings. */
  restart(env?: Readonly<Record<string, string>>): Promise<Daemon>;
  close(): Promise<void>;
}

export interface DaemonOptions {
  /** Over the defaults; the empty text unsets. */
  readonly env?: Readonly<Record<string, string>>;
  readonly redisUrl: string;
  readonly feishuUrl: string;
  readonly app?: { readonly appId: string; readonly appSecret: string };
  /** Wait until HTTP is served (default); false: return at once. */
  readonly waitForHttp?: boolean;
}

/** Tests side by side start many daemons at once; a busy machine takes its time with that. */
const START_MS = 30_000;
const MAIN = resolve(import.meta.dirname, '../../dist/main.js');
const API_KEY = randomBytes(24).toString('hex');
const ENCRYPTION_KEY = randomBytes(32).toString('base64');

export async function newDaemon(options: DaemonOptions): Promise<Daemon> {
  const stateDir = await mkdtemp(join(tmpdir(), 'authd-test-state-'));
  return await launch(options, stateDir);
}

async function launch(options: DaemonOptions, stateDir: string): Promise<Daemon> {
  const app: Record<string, string> =
    options.app === undefined ? {} : { FEISHU_APP_ID: options.app.appId, FEISHU_APP_SECRET: options.app.appSecret };
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    ...(process.env['TEST_RUN_ID'] === undefined ? {} : { TEST_RUN_ID: process.env['TEST_RUN_ID'] }),
    ...app,
    FEISHU_API_BASE_URL: options.feishuUrl,
    FEISHU_ACCOUNTS_BASE_URL: options.feishuUrl,
    FEISHU_APPLINK_BASE_URL: options.feishuUrl,
    REDIS_URL: options.redisUrl,
    TOKEN_ENCRYPTION_KEYS: `k1:${ENCRYPTION_KEY}`,
    API_KEYS: `tester:${API_KEY}`,
    HTTP_PORT: '0',
    STATE_DIR: stateDir,
    LOG_LEVEL: 'trace',
    LOG_FORMAT: 'json',
    WS_RECONNECT_BASE_MS: '100',
    ...options.env,
  };
  for (const [name, value] of Object.entries(env)) if (value === '') delete env[name];
  const child = spawn(process.execPath, [MAIN, 'start'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: LogLine[] = [];
  const waiters = new Set<() => void>();
  let output = '';
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) lines.push(parseLine(part));
    for (const wake of [...waiters]) wake();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const exit = once(child, 'exit').then(([code]) => {
    for (const wake of [...waiters]) wake();
    return code as number | null;
  });
  const tail = (): string => output.split('\n').slice(-15).join('\n');

  const daemon: Daemon = {
    pid: child.pid ?? 0,
    lines,
    output: () => output,
    apiKey: API_KEY,
    encryptionKey: ENCRYPTION_KEY,
    stateDir,
    baseUrl() {
      const listening = lines.find((line) => line.event === 'http.listening');
      return `http://127.0.0.1:${String(listening?.['port'])}`;
    },
    async call(method, path, body, headers = {}) {
      const response = await fetch(daemon.baseUrl() + path, {
        method,
        headers: {
          authorization: `Bearer ${API_KEY}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(60_000),
      });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get('content-type') ?? '');
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: isJson && text ? JSON.parse(text) : null,
      };
    },
    line: (event, matches = () => true, timeoutMs = 20_000) =>
      new Promise((resolveLine, reject) => {
        const look = (): void => {
          const found = lines.find((line) => line.event === event && matches(line));
          if (found === undefined && child.exitCode === null) return;
          finish();
          if (found === undefined) reject(new Error(`the daemon ended before ${event}:\n${tail()}`));
          else resolveLine(found);
        };
        const timer = setTimeout(() => {
          finish();
          reject(new Error(`no line ${event} within ${timeoutMs} ms:\n${tail()}`));
        }, timeoutMs);
        const finish = (): void => {
          clearTimeout(timer);
          waiters.delete(look);
        };
        waiters.add(look);
        look();
      }),
    async readiness(status, timeoutMs = 30_000) {
      const deadline = Date.now() + timeoutMs;
      let last = '';
      while (Date.now() < deadline) {
        const answer = await daemon.call('GET', '/readyz');
        if (answer.status === status) return;
        last = answer.text;
        await new Promise((done) => setTimeout(done, 50));
      }
      throw new Error(`/readyz did not answer ${status} within ${timeoutMs} ms: ${last}\n${tail()}`);
    },
    signal: (name) => child.kill(name),
    async exited(timeoutMs = 30_000) {
      const late = new Promise<never>((_, reject) => {
        setTimeout(() => reject(new Error(`still running after ${timeoutMs} ms:\n${tail()}`)), timeoutMs).unref();
      });
      return await Promise.race([exit, late]);
    },
    restart: (more = {}) => launch({ ...options, env: { ...options.env, ...more } }, stateDir),
    async close() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGCONT');
        child.kill('SIGKILL');
        await exit;
      }
      await rm(stateDir, { recursive: true, force: true });
    },
  };
  if (options.waitForHttp === false) return daemon;
  try {
    await daemon.line('http.listening', () => true, START_MS);
  } catch (error) {
    await daemon.close();
    throw error;
  }
  return daemon;
}

function parseLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { event: 'not-json', text };
  }
}
