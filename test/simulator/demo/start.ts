/**
 * Starts the whole demo: Redis, the simulated Feishu, the daemon; and stops it again in the opposite order. A start
 * that fails half-way, or is told to stop, leaves nothing behind either.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DaemonApi } from './daemon-api.js';
import { daemonReady, startDaemon } from './daemon-part.js';
import { freePort } from './free-port.js';
import { Part } from './part.js';
import { needRedis, redisReady, removeKeys, startRedis } from './redis-part.js';
import type { Orphans, SimulatorSetup } from './simulator-process.js';
import { unlessAborted } from './wait.js';

export interface DemoOptions {
  /** The redis-server to run, or the address of one that runs. */
  readonly redis: { readonly command: string } | { readonly url: string };
  /** Port of the page; 0 takes a free one. */
  readonly port?: number;
  /** By the authorization code grant instead of the device grant. */
  readonly byCode?: boolean;
  readonly signal: AbortSignal;
  say(line: string): void;
}

export interface Demo {
  /** The page with the chat. */
  readonly url: string;
  readonly daemonUrl: string;
  readonly daemon: DaemonApi;
  /** user_id -> open_id for the demo's app. */
  readonly openIds: Readonly<Record<string, string>>;
  /** Rejects with a PartDied when a part ends by itself. */
  readonly died: Promise<never>;
  stop(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** Longer than the daemon's own SHUTDOWN_TIMEOUT of 8 s. */
const DAEMON_GRACE_MS = 12_000;
const PART_GRACE_MS = 5000;

type Closer = () => Promise<void>;

export async function startDemo(options: DemoOptions): Promise<Demo> {
  const closers: Closer[] = [];
  /** Last opened, first closed; every closer runs, the first fault is kept. */
  const stop = async (): Promise<void> => {
    const faults: unknown[] = [];
    for (const close of closers.splice(0).reverse()) {
      await close().catch((fault: unknown) => faults.push(fault));
    }
    if (faults.length > 0) throw faults[0];
  };
  try {
    return await start(options, closers, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(options: DemoOptions, closers: Closer[], stop: Closer): Promise<Demo> {
  const { signal } = options;
  const deaths: Promise<never>[] = [];
  const running = (part: Part, graceMs: number): void => {
    closers.push(() => part.stop(graceMs));
    const death = part.untilDeath();
    // Somebody may look later only.
    death.catch(() => undefined);
    deaths.push(death);
  };
  /** A wait that ends early when a part dies or the demo is told to stop. */
  const during = <T>(wait: Promise<T>): Promise<T> => unlessAborted(Promise.race([wait, ...deaths]), signal);

  const folder = await mkdtemp(join(tmpdir(), 'authd-demo-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const keyPrefix = `authd-demo-${randomBytes(4).toString('hex')}`;

  const { url: redisUrl, pid: redisPid } = await openRedis(options, { folder, keyPrefix, closers, running });
  await during(redisReady(redisUrl, signal));
  options.say('Redis answers.');

  const app = { appId: `cli_${randomBytes(8).toString('hex')}`, appSecret: randomBytes(16).toString('hex') };
  const clientSecret = randomBytes(24).toString('base64url');
  const daemonPort = await freePort();
  const daemonUrl = `http://127.0.0.1:${daemonPort}`;

  const callbackPort = options.byCode === true ? await freePort() : null;
  const redirectUri = callbackPort === null ? null : `http://127.0.0.1:${callbackPort}/callback`;

  const simulator = startSimulatorProcess({ app, port: options.port ?? 0, daemonUrl, clientSecret, redirectUri });
  running(simulator, PART_GRACE_MS);
  const { url, openIds } = (await during(simulator.message())) as { url: string; openIds: Record<string, string> };
  options.say('The simulated Feishu listens.');

  const daemon = await startDaemon({
    ...{ root: ROOT, folder, port: daemonPort, app, feishuUrl: url, redisUrl, keyPrefix, clientSecret },
    callback: callbackPort === null || redirectUri === null ? null : { port: callbackPort, redirectUri },
  });
  running(daemon, DAEMON_GRACE_MS);
  const orphans: Orphans = { pids: [daemon.pid, redisPid].filter((pid) => pid !== undefined), folder };
  simulator.send({ ...orphans });
  await during(daemonReady(daemonUrl, signal));
  options.say('The daemon is ready: its long connection to the simulated Feishu is up.');

  const died = Promise.race(deaths);
  died.catch(() => undefined);
  return { url, daemonUrl, daemon: new DaemonApi({ baseUrl: daemonUrl, secret: clientSecret }), openIds, died, stop };
}

interface RedisNeeds {
  folder: string;
  keyPrefix: string;
  closers: Closer[];
  running(part: Part, graceMs: number): void;
}

async function openRedis(options: DemoOptions, needs: RedisNeeds): Promise<{ url: string; pid: number | undefined }> {
  if ('url' in options.redis) {
    const { url } = options.redis;
    await needRedis(url);
    needs.closers.push(() => removeKeys(url, needs.keyPrefix).catch(() => undefined));
    return { url, pid: undefined };
  }
  const { part, url } = await startRedis({ command: options.redis.command, folder: needs.folder });
  needs.running(part, PART_GRACE_MS);
  return { url, pid: part.pid };
}

function startSimulatorProcess(setup: SimulatorSetup): Part {
  return new Part({
    name: 'the simulated Feishu',
    command: process.execPath,
    args: ['--import', 'tsx', fileURLToPath(new URL('./simulator-process.ts', import.meta.url))],
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      TMPDIR: process.env['TMPDIR'],
      TEST_RUN_ID: process.env['TEST_RUN_ID'],
      DEMO_SIMULATOR: JSON.stringify(setup),
    },
    ipc: true,
  });
}
