/**
 * The real pm2, in a home folder of its own. It is no dependency (AGPL): it is fetched once, by npm, into
 * node_modules/.cache. Whatever a test does, `close` ends pm2's daemon and every process it had.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';

const VERSION = '7.0.4';
const CACHE = resolve(import.meta.dirname, '../../node_modules/.cache/feishu-authd');
const FETCH_MS = 120_000;
const COMMAND_MS = 90_000;

/** Where pm2 is, or one sentence that says why there is none. */
export type Pm2Found = { readonly bin: string } | { readonly missing: string };

export interface Pm2Process {
  readonly name: string;
  readonly pid: number;
  readonly pm2_env: {
    readonly status: string;
    readonly restart_time: number;
    readonly exit_code?: number;
    readonly env: Readonly<Record<string, unknown>>;
  };
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface Pm2 {
  /** PM2_HOME: everything pm2 writes to disk. */
  readonly home: string;
  /** A `pm2` command; the environment is the operator's shell. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran>;
  /** Any other command of the operator in the folder of the project. */
  shell(command: string, args: readonly string[]): Promise<Ran>;
  list(): Promise<Pm2Process[]>;
  process(name: string): Promise<Pm2Process>;
  /** What a process has written to its standard output (or standard error) since the start. */
  log(name: string, stream?: 'out' | 'error'): Promise<string>;
  close(): Promise<void>;
}

/** Installs pm2 if it is not there yet. Never rejects. */
export async function fetchPm2(): Promise<Pm2Found> {
  const target = join(CACHE, `pm2-${VERSION}`);
  const found = { bin: join(target, 'node_modules', '.bin') };
  if (await exists(join(found.bin, 'pm2'))) return found;
  await mkdir(CACHE, { recursive: true });
  // Beside, then renamed: a second run at the same time never sees half of it.
  const beside = await mkdtemp(`${target}.`);
  try {
    await writeFile(join(beside, 'package.json'), '{"private":true}');
    const options = ['--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
    const args = ['install', '--prefix', beside, ...options, `pm2@${VERSION}`];
    const { code, stderr } = await runCommand('npm', args, { cwd: beside, env: withoutNpm(), timeoutMs: FETCH_MS });
    if (code !== 0) return { missing: `npm could not fetch pm2 ${VERSION}: ${stderr.trim().split('\n').at(-1) ?? ''}` };
    await rename(beside, target).catch(() => undefined);
    return found;
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

/** `env`: what the operator's shell holds besides the usual. */
export async function newPm2(bin: string, cwd: string, env: Readonly<Record<string, string>>): Promise<Pm2> {
  // Short: the path of its socket must fit into 108 bytes.
  const home = await mkdtemp(join(tmpdir(), 'pm2-'));
  const shellEnv: Record<string, string> = {
    PATH: [bin, dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
    HOME: home,
    PM2_HOME: home,
    ...(process.env['TEST_RUN_ID'] === undefined ? {} : { TEST_RUN_ID: process.env['TEST_RUN_ID'] }),
    ...env,
  };
  const shell = (command: string, args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    runCommand(command, args, { cwd, env: { ...shellEnv, ...more }, timeoutMs: COMMAND_MS });
  const pids = new Set<number>();

  const pm2: Pm2 = {
    home,
    run: (args, more) => shell('pm2', args, more),
    shell: (command, args) => shell(command, args),
    async list() {
      const { stdout, stderr } = await pm2.run(['jlist']);
      const json = stdout.slice(stdout.lastIndexOf('\n[') + 1);
      if (!json.startsWith('[')) throw new Error(`pm2 jlist says: ${stdout}${stderr}`);
      const processes = JSON.parse(json) as Pm2Process[];
      for (const { pid } of processes) pids.add(pid);
      return processes;
    },
    async process(name) {
      const found = (await pm2.list()).find((one) => one.name === name);
      if (found === undefined) throw new Error(`pm2 has no process ${name}`);
      return found;
    },
    log: (name, stream = 'out') => readFile(join(home, 'logs', `${name}-${stream}.log`), 'utf8'),
    async close() {
      for (const pid of pidsOnDisk(home)) pids.add(pid);
      await pm2.run(['kill']).catch(() => undefined);
      killAll(pids);
      process.off('SIGTERM', onTerm);
      await rm(home, { recursive: true, force: true });
    },
  };
  // The test runner ends a file that takes too long; pm2 and its processes would outlive it.
  const onTerm = (): void => {
    killAll([...pidsOnDisk(home), ...pids]);
    rmSync(home, { recursive: true, force: true });
    process.exit(1);
  };
  process.once('SIGTERM', onTerm);

  return pm2;
}

/** pm2's own daemon first, so that it starts nothing again, then its processes. */
function pidsOnDisk(home: string): number[] {
  const pids = join(home, 'pids');
  const names = existsSync(pids) ? readdirSync(pids).map((name) => join(pids, name)) : [];
  return [join(home, 'pm2.pid'), ...names].map((file) => Number.parseInt(textOf(file), 10)).filter(Number.isInteger);
}

function killAll(pids: Iterable<number>): void {
  for (const pid of pids) {
    // Numbers are given again: only what still is pm2 or the daemon may be killed.
    if (/God Daemon|ProcessContainerFork|dist\/main\.js/.test(textOf(`/proc/${pid}/cmdline`)))
      process.kill(pid, 'SIGKILL');
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

interface RunOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
}

function runCommand(command: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  const { cwd, env, timeoutMs } = options;
  return new Promise((done, reject) => {
    const startedAt = performance.now();
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    const text = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].on('data', (chunk: Buffer) => {
        text[stream] += chunk.toString();
      });
    }
    child.once('error', reject);
    child.once('close', (code) => done({ code: code ?? 1, ...text, ms: performance.now() - startedAt }));
  });
}

/** What `npm test` tells its scripts about this project is not meant for another folder. */
function withoutNpm(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}
