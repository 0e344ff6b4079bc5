/**
 * compose.yaml without an engine: what the daemons get is a configuration they accept, nothing secret stands in it,
 * every container is locked up, and the command that starts Redis is run for real.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { Redis } from 'ioredis';
import { loadConfig } from '../../src/config/load.js';
import { VARIABLE_NAMES, VARIABLES } from '../../src/config/variables.js';
import { KEY, MINIMUM } from '../config/load-support.js';
import { freePort } from '../simulator/demo/free-port.js';

interface Service {
  readonly image: string;
  readonly user: string;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly restart: string;
  readonly stop_grace_period: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: string;
  readonly secrets: readonly string[];
  readonly volumes: readonly string[];
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly command?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

interface YamlParser {
  parse(text: string, options: { merge: boolean }): unknown;
}

const ROOT = resolve(import.meta.dirname, '../..');
// @fastify/swagger brings a parser of YAML; nothing else here needs one.
const yaml: YamlParser = createRequire(createRequire(import.meta.url).resolve('@fastify/swagger'))('yaml');
const compose = yaml.parse(await readFile(join(ROOT, 'compose.yaml'), 'utf8'), { merge: true }) as Compose;
const { redis, ...daemons } = compose.services;
const FILES: Readonly<Record<string, string>> = {
  feishu_app_secret: MINIMUM.FEISHU_APP_SECRET,
  token_encryption_keys: `k1:${KEY}`,
  api_keys: `reports:${'0123456789abcdef'.repeat(3)}`,
  redis_url: 'redis://:secret@redis:6379',
};

describe('compose.yaml', () => {
  it('has two gateways and one process for API and jobs', () => {
    const roles = Object.entries(daemons).map(([name, { environment }]) => [name, environment?.['ROLES']]);
    assert.deepEqual(roles, [
      ['gateway-a', 'gateway'],
      ['gateway-b', 'gateway'],
      ['api', 'worker,api'],
    ]);
  });

  for (const [name, service] of Object.entries(daemons)) {
    it(`${name} gets a configuration it accepts, with every secret from a file it may see`, () => {
      const environment = service.environment ?? {};
      for (const secret of VARIABLE_NAMES.filter((variable) => VARIABLES[variable].secret)) {
        assert.ok(!(secret in environment), secret);
        const path = environment[`${secret}_FILE`];
        if (path !== undefined) assert.ok(service.secrets.includes(path.replace('/run/secrets/', '')), path);
      }
      const { config, warnings } = loadConfig({
        env: { FEISHU_APP_ID: MINIMUM.FEISHU_APP_ID, ...environment },
        readFile: (path) => ({ text: FILES[path.replace('/run/secrets/', '')] ?? '', mode: 0o400 }),
      });
      assert.deepEqual(
        warnings.filter((warning) => !warning.includes('HTTP_ALLOW_PLAINTEXT')),
        [],
      );
      assert.equal(config.clients.length, name === 'api' ? 1 : 0, 'API keys');
      assert.ok(Number.parseInt(service.stop_grace_period, 10) >= config.shutdownTimeoutSeconds + 3);
      assert.deepEqual(service.volumes, [`state:${config.stateDir}`]);
      assert.equal(service.env_file, '.env');
    });
  }

  for (const [name, service] of Object.entries(compose.services)) {
    it(`${name} is locked up and comes back`, () => {
      assert.match(service.user, /^[1-9]\d+:[1-9]\d+$/);
      assert.equal(service.read_only, true);
      assert.deepEqual(service.cap_drop, ['ALL']);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true']);
      assert.equal(service.restart, 'unless-stopped');
      for (const secret of service.secrets) assert.equal(compose.secrets[secret]?.file, `./secrets/${secret}`);
      for (const volume of service.volumes) assert.ok((volume.split(':')[0] ?? '') in compose.volumes, volume);
      for (const network of service.networks) assert.ok(network in compose.networks, network);
    });
  }

  it('lets only this host reach the API, and nothing but the daemons reach Redis', () => {
    assert.equal(daemons['api']?.ports?.length, 1);
    assert.match(daemons['api']?.ports?.[0] ?? '', /^127\.0\.0\.1:\$\{AUTHD_PORT:-9780\}:9780$/);
    for (const name of ['gateway-a', 'gateway-b', 'redis'])
      assert.equal(compose.services[name]?.ports, undefined, name);
    assert.deepEqual(redis?.networks, ['store']);
    assert.equal(compose.networks['store']?.internal, true);
  });

  it('starts a Redis that keeps what it is given, with a password that no list of processes shows', async (t) => {
    assert.ok(redis?.command && redis.healthcheck);
    const folder = await mkdtemp(join(tmpdir(), 'authd-compose-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const password = 'b6a7d0f3c9e84512';
    await writeFile(join(folder, 'redis_password'), `${password}\n`);
    await mkdir(join(folder, 'data'));
    const port = String(await freePort());
    // Paths and port of this machine; $$ is compose's way to write $.
    const here = (text: string): string =>
      text
        .replaceAll('$$', '$')
        .replaceAll('/run/secrets', folder)
        .replaceAll('/data', join(folder, 'data'))
        .replaceAll('redis-server -', `redis-server - --bind 127.0.0.1 --port ${port}`)
        .replaceAll('redis-cli', `redis-cli -p ${port}`);
    const [command = '', ...args] = redis.command.map(here);
    const server = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => server.kill('SIGKILL'));
    let log = '';
    for await (const chunk of server.stdout) {
      log += String(chunk);
      if (log.includes('Ready to accept connections')) break;
    }
    const client = new Redis({ port: Number(port), password, lazyConnect: true });
    t.after(() => client.disconnect());
    assert.deepEqual(await client.config('GET', 'maxmemory-policy'), ['maxmemory-policy', 'noeviction']);
    assert.deepEqual(await client.config('GET', 'appendonly'), ['appendonly', 'yes']);
    const stranger = new Redis({ port: Number(port), lazyConnect: true });
    stranger.on('error', () => undefined);
    t.after(() => stranger.disconnect());
    await assert.rejects(stranger.get('x'), /NOAUTH/);

    // exec: what Docker's SIGTERM reaches is Redis itself.
    assert.match(await readFile(`/proc/${server.pid}/comm`, 'utf8'), /^redis-server/);
    const seen = await readFile(`/proc/${server.pid}/cmdline`, 'utf8');
    assert.ok(!seen.includes(password) && !(await readFile(`/proc/${server.pid}/environ`, 'utf8')).includes(password));
    const [kind, probe = ''] = redis.healthcheck.test.map(here);
    assert.equal(kind, 'CMD-SHELL');
    assert.equal(spawnSync('sh', ['-c', probe]).status, 0);
    const gone = once(server, 'exit');
    server.kill('SIGTERM');
    assert.deepEqual(await gone, [0, null]);
    assert.notEqual(spawnSync('sh', ['-c', probe]).status, 0);
  });
});
