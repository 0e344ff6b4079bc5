/** ecosystem.config.cjs as data: what pm2 is told, and whether the daemons accept what they get. pm2 itself: test/e2e. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadConfig } from '../../src/config/load.js';
import { VARIABLE_NAMES, VARIABLES } from '../../src/config/variables.js';
import { APP_ID, APP_SECRET, KEY } from '../config/load-support.js';

interface Pm2App {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly kill_timeout: number;
  readonly listen_timeout: number;
  readonly wait_ready: boolean;
  readonly exec_mode: string;
  readonly stop_exit_codes: readonly number[];
}

const FILE = resolve(import.meta.dirname, '../../ecosystem.config.cjs');
const SECRETS = VARIABLE_NAMES.filter((name) => VARIABLES[name].secret);

/** The file as pm2 would read it, in a process of its own: it cleans the environment it is read in. */
function read(env: Readonly<Record<string, string>>, after = ''): { apps: Pm2App[]; stdout: string; stderr: string } {
  const script = `const file = require(${JSON.stringify(FILE)}); ${after || 'process.stdout.write(JSON.stringify(file))'}`;
  const { stderr, stdout } = spawnSync(process.execPath, ['-e', script], { env, encoding: 'utf8' });
  return { apps: after === '' && stdout !== '' ? JSON.parse(stdout).apps : [], stdout, stderr };
}

describe('ecosystem.config.cjs', () => {
  let folder: string;
  let apps: Pm2App[];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'authd-ecosystem-'));
    await mkdir(join(folder, 'secrets'));
    await writeFile(join(folder, 'config.json'), JSON.stringify({ feishu_app_id: APP_ID, state_dir: folder }));
    const secrets = {
      feishu_app_secret: APP_SECRET,
      token_encryption_keys: `k1:${KEY}`,
      api_keys: `reports:${'0123456789abcdef'.repeat(3)}`,
      redis_url: 'redis://:secret@redis.intranet:6379',
    };
    for (const [name, text] of Object.entries(secrets)) {
      await writeFile(join(folder, 'secrets', name), text, { mode: 0o600 });
    }
    ({ apps } = read({ FEISHU_AUTHD_CONFIG_DIR: folder, FEISHU_AUTHD_PORT: '9880' }));
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('gives each process a configuration it accepts, with a port of its own on loopback', () => {
    const seen = apps.map(({ env, name }) => {
      const { config, warnings } = loadConfig({ env });
      assert.deepEqual(warnings, [], name);
      assert.equal(config.redis.url, 'redis://:secret@redis.intranet:6379');
      return [name, config.roles.join(), config.http.host, config.http.port, config.clients.length];
    });
    assert.deepEqual(seen, [
      ['feishu-authd-gateway-a', 'gateway', '127.0.0.1', 9881, 0],
      ['feishu-authd-gateway-b', 'gateway', '127.0.0.1', 9882, 0],
      ['feishu-authd', 'worker,api', '127.0.0.1', 9880, 1],
    ]);
  });

  it('knows the file of every secret there is, and holds none', () => {
    for (const { env } of apps) {
      const files = Object.keys(env).filter((name) => name.endsWith('_FILE') && name !== 'CONFIG_FILE');
      assert.deepEqual(files.sort(), SECRETS.map((name) => `${name}_FILE`).sort());
      for (const name of SECRETS) assert.ok(!(name in env), name);
    }
  });

  it('gives the daemon more time to stop than it takes, waits for ready, and does not repeat a refused start', () => {
    for (const app of apps) {
      const { config } = loadConfig({ env: app.env });
      assert.ok(app.kill_timeout >= config.shutdownTimeoutSeconds * 1000 + 3_000);
      assert.deepEqual([app.wait_ready, app.exec_mode, app.stop_exit_codes], [true, 'fork', [2]]);
      assert.ok(app.listen_timeout >= 15_000);
    }
  });

  it('forgets the shell it is read in when pm2 reads it, and only then', () => {
    const env = { PATH: process.env['PATH'] ?? '', FEISHU_APP_SECRET: APP_SECRET, MAIL_PASSWORD: 'x' };
    const print = 'process.stdout.write(Object.keys(process.env).sort().join())';
    assert.equal(read({ ...env, PM2_USAGE: 'CLI' }, print).stdout.trim(), 'PATH,PM2_USAGE');
    assert.match(read(env, print).stdout, /FEISHU_APP_SECRET,MAIL_PASSWORD/);
  });

  it('refuses a port that is none', () => {
    assert.match(read({ FEISHU_AUTHD_PORT: '80x' }).stderr, /FEISHU_AUTHD_PORT is no port number/);
  });
});
