/**
 * What `feishu-authd doctor` is tried on: Feishu in a box and a Redis that several cases share, each with an app, a key
 * prefix and a state folder of its own. Keeps everything that was written, for the search for secrets.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App, NewApp } from '../simulator/directory.js';
import { type Simulator, type SimulatorOptions, startSimulator } from '../simulator/index.js';
import { type CliEnv, cli, type Ended } from './cli.js';
import { newRedisServer, type RedisServer } from './redis-server.js';

/** A line of `doctor --json`. */
export interface Line {
  readonly check: string;
  readonly app_id: string | null;
  readonly status: 'pass' | 'warn' | 'fail' | 'skip';
  readonly message: string;
  readonly remedy: string | null;
  readonly blame: string | null;
  readonly feishu_code: number | null;
  readonly log_id: string | null;
}

export interface Diagnosis {
  readonly code: number | null;
  readonly lines: readonly Line[];
  readonly stderr: string;
  /** The line of a check; the first where there are several. */
  line(check: string): Line;
  /** `check status` of every line, in order. */
  readonly verdicts: readonly string[];
}

export interface DoctorScene {
  readonly sim: Simulator;
  readonly redis: RedisServer;
  readonly folder: string;
  readonly encryptionKey: string;
  readonly apiKey: string;
  addApp(app?: NewApp): App;
  /** Everything `start` needs for this app. */
  env(app: { readonly appId: string; readonly appSecret: string }): Record<string, string>;
  /** A file of its own in the folder. */
  file(name: string, content: string): Promise<string>;
  run(args: readonly string[], env: CliEnv): Promise<Ended>;
  /** `doctor --json`. */
  diagnose(env: CliEnv, ...args: readonly string[]): Promise<Diagnosis>;
  /** Of every command so far. */
  written(): string;
  /** What must be nowhere in it, by name. */
  secrets(): Map<string, string>;
  close(): Promise<void>;
}

export async function newDoctorScene(options: SimulatorOptions = {}): Promise<DoctorScene> {
  const sim = await startSimulator(options);
  const redis = await newRedisServer(['--appendfsync', 'everysec']);
  const folder = await mkdtemp(join(tmpdir(), 'authd-test-doctor-'));
  const encryptionKey = randomBytes(32).toString('base64');
  const apiKey = randomBytes(24).toString('hex');
  const outputs: string[] = [];
  let count = 0;

  const scene: DoctorScene = {
    sim,
    redis,
    folder,
    encryptionKey,
    apiKey,
    addApp: (app = {}) => sim.addApp({ enabledScopes: ['offline_access'], ...app }),
    env(app) {
      count += 1;
      return {
        FEISHU_APP_ID: app.appId,
        FEISHU_APP_SECRET: app.appSecret,
        FEISHU_API_BASE_URL: sim.baseUrl,
        FEISHU_ACCOUNTS_BASE_URL: sim.baseUrl,
        FEISHU_APPLINK_BASE_URL: sim.baseUrl,
        REDIS_URL: redis.url,
        REDIS_KEY_PREFIX: `case${count}`,
        TOKEN_ENCRYPTION_KEYS: `k1:${encryptionKey}`,
        API_KEYS: `tester:${apiKey}`,
        STATE_DIR: join(folder, `state${count}`),
        // Nothing listens on the discard port.
        AUTHD_URL: 'http://127.0.0.1:9',
      };
    },
    async file(name, content) {
      const path = join(folder, name);
      await writeFile(path, content, { mode: 0o600 });
      return path;
    },
    async run(args, env) {
      const ended = await cli(args, env);
      outputs.push(ended.stdout, ended.stderr);
      return ended;
    },
    async diagnose(env, ...args) {
      const { code, stderr, stdout } = await scene.run(['doctor', '--json', ...args], env);
      const lines = (JSON.parse(stdout || '{"checks":[]}') as { checks: Line[] }).checks;
      return {
        code,
        lines,
        stderr,
        line(check) {
          const found = lines.find((line) => line.check === check);
          if (found === undefined) throw new Error(`no line ${check}: ${stdout}${stderr}`);
          return found;
        },
        verdicts: lines.map(({ check, status }) => `${check} ${status}`),
      };
    },
    written: () => outputs.join('\n'),
    secrets() {
      const found = new Map([
        ['encryption key', encryptionKey],
        ['API key', apiKey],
      ]);
      for (const [i, { kind, value }] of sim.secretsByKind().entries()) {
        found.set(`${kind} ${i}`, kind === 'verification_link' ? secretOf(value) : value);
      }
      return found;
    },
    async close() {
      await sim.close();
      await redis.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return scene;
}

/** Of a consent link: what makes it hers. Ids and addresses in it are no secrets. */
function secretOf(link: string): string {
  const { search, searchParams } = new URL(link);
  return searchParams.get('state') ?? search.slice(1);
}
