/**
 * The Dockerfile without an engine: each of its steps is done in a clean folder by the same commands, and what comes
 * out is run the way ENTRYPOINT, CMD, USER and HEALTHCHECK say. What only an engine can show (the base image itself,
 * layers) stays open.
 */
import assert from 'node:assert/strict';
import { lstat, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import { freePort } from '../simulator/demo/free-port.js';
import { startSimulator } from '../simulator/index.js';
import { eventually } from '../support/crowd.js';
import { newRedisServer } from '../support/redis-server.js';
import { folderForAll, namespacesMissing, runContainer } from './container.js';
import { parseDockerfile } from './dockerfile.js';
import { buildImage, filesAt, type Image } from './image.js';

const ROOT = resolve(import.meta.dirname, '../..');
const text = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
const dockerfile = parseDockerfile(text);
const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
const lock: Lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'));

interface Lock {
  readonly packages: Readonly<Record<string, { readonly [flag in 'dev' | 'devOptional' | 'optional']?: boolean }>>;
}

describe('the text of the Dockerfile', () => {
  it('takes the base image and the registry as build arguments, and fetches from nowhere else', () => {
    assert.deepEqual(
      dockerfile.args.map((arg) => arg.text),
      ['NODE_IMAGE=node:24-bookworm-slim'],
    );
    for (const { image } of dockerfile.stages) assert.match(image, /^\$\{NODE_IMAGE\}$/);
    const commands = dockerfile.stages.flatMap(({ instructions }) => instructions).filter(isRun);
    assert.ok(commands.some((command) => /npm ci .*--registry=\$\{NPM_REGISTRY\}/.test(command.text)));
    assert.doesNotMatch(commands.map((command) => command.text).join('\n'), /https?:|curl|wget|apt/);
  });

  it('keeps everything that is not copied out of the build', async () => {
    const ignore = (await readFile(join(ROOT, '.dockerignore'), 'utf8'))
      .split('\n')
      .filter((line) => /^[^#]/.test(line));
    const copied = dockerfile.stages
      .flatMap(({ instructions }) => instructions)
      .filter(({ flags, keyword }) => keyword === 'COPY' && flags['from'] === undefined)
      .flatMap((instruction) => instruction.text.split(' ').slice(0, -1));
    assert.deepEqual(ignore.sort(), ['*', ...new Set(copied.map((name) => `!${name}`))].sort());
  });
});

const isRun = ({ keyword }: { keyword: string }): boolean => keyword === 'RUN';

const folder = await folderForAll('authd-image-');
const built = await build();
if ('missing' in built) await rm(folder, { recursive: true, force: true });
if ('missing' in built) it('the image', { skip: built.missing }, () => undefined);
else describe('the image', () => theImage(built.image));

async function build(): Promise<{ readonly image: Image } | { readonly missing: string }> {
  // RUN gives the state folder to another user.
  if (process.getuid?.() !== 0) return { missing: 'only root can do what docker build does' };
  try {
    return { image: await buildImage(dockerfile, { context: ROOT, into: folder }) };
  } catch (error) {
    const network = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT)\b/.exec(String(error));
    if (network === null) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    return { missing: `npm has not all packages in its cache and cannot reach its registry (${network[0]})` };
  }
}

function theImage(image: Image): void {
  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('holds the build, the cards, the status page and the packages of production, and nothing else', async () => {
    assert.deepEqual(await filesAt(image, 'app'), [
      'cards',
      'dist',
      'node_modules',
      'package.json',
      'state',
      'status-page',
    ]);
    const locked = Object.entries(lock.packages).filter(([path]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path));
    for (const [path, { dev, devOptional, optional }] of locked) {
      const there = await exists(join(image.root, 'app', path));
      if (dev === true || devOptional === true) assert.ok(!there, `${path} is not needed`);
      else if (optional !== true) assert.ok(there, `${path} is missing`);
    }
    assert.ok((await stat(join(image.root, 'app/dist/main.js'))).isFile());
  });

  it('belongs to root, and the state folder alone to the user it runs as', async () => {
    const state = await stat(join(image.root, 'app/state'));
    assert.deepEqual([`${state.uid}:${state.gid}`, state.mode & 0o777], [image.user, 0o700]);
    assert.deepEqual(image.volumes, ['/app/state']);
    assert.equal(image.env['STATE_DIR'], '/app/state');
    for (const entry of await readdir(join(image.root, 'app/dist'), { recursive: true })) {
      const { mode, uid } = await lstat(join(image.root, 'app/dist', entry));
      assert.ok(uid === 0 && (mode & 0o022) === 0, entry);
    }
  });

  it('says in its labels what it is', () => {
    assert.equal(image.labels['org.opencontainers.image.version'], manifest.version);
    assert.equal(image.labels['org.opencontainers.image.title'], manifest.name);
    assert.equal(image.labels['org.opencontainers.image.description'], manifest.description);
    assert.equal(image.labels['org.opencontainers.image.licenses'], manifest.license);
    assert.ok('org.opencontainers.image.revision' in image.labels);
  });

  it('runs as its user on a read-only file system, answers its health check, and ends with 0 at SIGTERM', async (t) => {
    const sim = await startSimulator();
    t.after(() => sim.close());
    const redis = await newRedisServer();
    t.after(() => redis.close());
    const app = sim.addApp({ name: 'Docs Bot' });
    const container = await runContainer(image, {
      env: {
        FEISHU_APP_ID: app.appId,
        FEISHU_API_BASE_URL: sim.baseUrl,
        FEISHU_ACCOUNTS_BASE_URL: sim.baseUrl,
        FEISHU_APPLINK_BASE_URL: sim.baseUrl,
        HTTP_PORT: String(await freePort()),
      },
      secrets: {
        feishu_app_secret: app.appSecret,
        token_encryption_keys: `k1:${Buffer.alloc(32, 'key of a test').toString('base64')}`,
        api_keys: `tester:${'0123456789abcdef'.repeat(3)}`,
        redis_url: redis.url,
      },
    });
    t.after(() => container.close());
    t.diagnostic(`isolation: ${container.isolation} ${namespacesMissing() ?? ''}`);

    const ready = await container.exec([...image.entrypoint, 'health', '--ready', '--wait', '20']);
    assert.equal(ready.code, 0, `${ready.output}\n${container.output()}`);
    assert.equal((await container.exec(image.healthcheck)).code, 0);
    if (container.isolation === 'namespaces') {
      const look = await container.exec(['sh', '-c', 'cat /proc/1/status; touch /x /app/x /app/dist/x /etc/x']);
      assert.match(look.output, /^Uid:\t10001\t10001/m);
      assert.match(look.output, /^NoNewPrivs:\t1/m);
      assert.match(look.output, /^CapEff:\t0+$/m);
      assert.equal(look.output.match(/Read-only file system/g)?.length, 4, look.output);
      assert.match(container.output(), /"pid":1,/);
    }
    assert.deepEqual(await readdir(container.stateFolder), ['spool']);

    await container.signal('SIGTERM');
    const stopping = performance.now();
    assert.equal(await container.exited(), 0, container.output());
    assert.ok(performance.now() - stopping < 5_000);
    assert.match(container.output(), /"event":"daemon\.stopped","exit_code":0/);
    await eventually(() => sim.connections().length === 0, 20_000, 'the long connection to be closed');
  });

  it('fails its health check while nothing is served', async (t) => {
    const container = await runContainer(
      { ...image, entrypoint: ['sleep'], cmd: ['60'] },
      {
        env: { FEISHU_APP_ID: 'cli_0123456789abcdef', HTTP_PORT: String(await freePort()) },
        secrets: {
          feishu_app_secret: '0123456789abcdef0123456789abcdef',
          token_encryption_keys: `k1:${Buffer.alloc(32, 'key of a test').toString('base64')}`,
        },
      },
    );
    t.after(() => container.close());
    const answer = await container.exec(image.healthcheck);
    assert.equal(answer.code, 4);
    assert.match(answer.output, /healthz does not answer \(ECONNREFUSED\)/);
  });
}

const exists = async (path: string): Promise<boolean> =>
  await stat(path).then(
    () => true,
    () => false,
  );
