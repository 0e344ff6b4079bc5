/** `doctor --bundle`: an archive that any tar opens, with everything support asks for and no secret in it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { readLogTail } from '../../src/doctor/bundle/log-tail.js';
import { tar } from '../../src/doctor/bundle/tar.js';
import type { App } from '../simulator/directory.js';
import { type DoctorScene, newDoctorScene } from '../support/doctor.js';
import { findLeaks } from '../support/leaks.js';
import { startScriptedServer } from '../support/scripted-server.js';

const SECRETS = {
  'access token': `eyJhbGciOiJFUzI1NiJ9.${randomBytes(40).toString('base64url')}.c2ln`,
  'refresh token': `ur-${randomBytes(24).toString('base64url')}`,
  'device code': randomBytes(24).toString('base64url'),
  'user code': 'QRST-WXYZ-2345',
  'proxy password': 'pr0xyPassw0rd',
} as const;

let scene: DoctorScene;

before(async () => {
  scene = await newDoctorScene();
});

after(() => scene.close());

/** The files of an archive by name, and the archive as it is. */
async function unpack(file: string): Promise<{ files: Map<string, string>; bytes: Buffer }> {
  const folder = `${file}.unpacked`;
  await mkdir(folder);
  await promisify(execFile)('tar', ['-xzf', file, '-C', folder]);
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.includes('/'));
  const contents = await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const));
  return {
    files: new Map(contents.map(([name, content]) => [name.replace(/^.*\//, ''), content.toString()])),
    bytes: Buffer.concat(contents.map(([, content]) => content)),
  };
}

/** What the configuration of an app holds. */
const configured = (app: App): Map<string, string> =>
  new Map([
    ['app secret', app.appSecret],
    ['encryption key', scene.encryptionKey],
    ['API key', scene.apiKey],
  ]);

/** Lines of a log as a daemon and others write it, secrets in every form included. */
function logLines(known: ReadonlyMap<string, string>): string[] {
  return [
    JSON.stringify({ level: 'info', event: 'session.created', session_id: 'as_1', open_id: 'ou_1' }),
    JSON.stringify({ level: 'warn', event: 'redis.error', err: { type: 'Error', code: 'ECONNREFUSED', message: 'x' } }),
    JSON.stringify({
      event: 'x',
      device_code: SECRETS['device code'],
      link: 'https://a/b?c',
      deep: { userCode: SECRETS['user code'] },
    }),
    `GET https://accounts.feishu.cn/oauth/v1/device/verify?user_code=${SECRETS['user code']} 200`,
    `authorization: Bearer ${SECRETS['access token']}, then ${SECRETS['refresh token']}`,
    `proxy http://me:${SECRETS['proxy password']}@127.0.0.1:9`,
    ...[...known].map(
      ([name, value]) => `${name} is ${value}, in base64 ${Buffer.from(`x${value}`).toString('base64')}`,
    ),
  ];
}

describe('feishu-authd doctor --bundle', { concurrency: 3 }, () => {
  it('writes what support needs, readable by its owner only, without any secret', async (t) => {
    const app = scene.addApp();
    const known = configured(app);
    const pages = new Map([
      ['/readyz', JSON.stringify({ status: 'degraded', parts: [{ part: 'x', ok: false, detail: app.appSecret }] })],
      ['/metrics', `lark_service_ws_connected{app_id="${app.appId}"} 1\n# ${scene.apiKey}\n`],
    ]);
    const daemon = await startScriptedServer(({ url }) => ({ text: pages.get(url) ?? '' }));
    t.after(() => daemon.stop());
    const log = await scene.file('daemon.log', `${logLines(known).join('\n')}\n`);
    const file = join(scene.folder, 'support.tar.gz');
    const { FEISHU_APP_SECRET: secret = '', ...rest } = scene.env(app);
    const env = {
      ...rest,
      FEISHU_APP_SECRET_FILE: await scene.file('app-secret', secret),
      // The daemon of this very configuration is looked at where AUTHD_URL names none.
      AUTHD_URL: '',
      HTTP_PORT: new URL(daemon.url).port,
      HTTPS_PROXY: `http://me:${SECRETS['proxy password']}@127.0.0.1:9`,
    };
    const { code, stderr, stdout } = await scene.run(['doctor', '--bundle', file, '--log', log], env);
    assert.deepEqual([code, stderr], [0, `Written to ${file}\n`], stdout);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const { bytes, files } = await unpack(file);
    assert.deepEqual([...files.keys()].sort(), [
      'README.txt',
      'config.json',
      'doctor.json',
      'doctor.txt',
      'log.txt',
      'metrics.txt',
      'readyz.json',
      'versions.json',
    ]);
    assert.deepEqual(findLeaks(bytes, new Map([...known, ...Object.entries(SECRETS)])), []);
    const json = (name: string) => JSON.parse(files.get(name) ?? '');
    assert.equal(json('doctor.json').exit_code, 0);
    assert.equal(files.get('doctor.txt'), stdout);
    assert.match(json('versions.json').packages.bullmq, /^\d+\.\d+\.\d+$/);
    const appSecret = json('config.json').settings.find(({ name }: { name: string }) => name === 'FEISHU_APP_SECRET');
    assert.deepEqual([appSecret.value, appSecret.from], ['***', 'FEISHU_APP_SECRET_FILE']);
    assert.equal(json('readyz.json').status, 'degraded');
    assert.match(files.get('metrics.txt') ?? '', /lark_service_ws_connected/);
    const lines = (files.get('log.txt') ?? '').split('\n');
    assert.equal(lines.length, logLines(known).length + 1);
    assert.match(lines[0] ?? '', /"session_id":"as_1","open_id":"ou_1"/);
    assert.match(lines[1] ?? '', /"error_code":"ECONNREFUSED"/);
    assert.doesNotMatch(files.get('README.txt') ?? '', /Not in it/);
  });

  it('works with everything away, and takes secrets out also when the configuration is not valid', async () => {
    const app = scene.addApp();
    const known = configured(app);
    const log = await scene.file('other.log', logLines(known).join('\n'));
    const file = join(scene.folder, 'invalid.tar.gz');
    const env = {
      ...scene.env(app),
      HTTP_PORT: 'many',
      API_KEYS: `tester:${scene.apiKey},second`,
      HTTPS_PROXY: `http://me:${SECRETS['proxy password']}@127.0.0.1:9`,
    };
    const { code } = await scene.run(['doctor', '--bundle', file, '--log', log, '--lang', 'zh'], env);
    assert.equal(code, 2);
    const { bytes, files } = await unpack(file);
    assert.deepEqual([...files.keys()].sort(), ['README.txt', 'doctor.json', 'doctor.txt', 'log.txt', 'versions.json']);
    assert.deepEqual(findLeaks(bytes, new Map([...known, ...Object.entries(SECRETS)])), []);
    for (const name of ['config.json', 'readyz.json', 'metrics.txt']) {
      assert.match(files.get('README.txt') ?? '', new RegExp(`^- ${name}: `, 'm'));
    }
  });

  it('refuses files it cannot use before it looks at anything', async () => {
    const env = scene.env(scene.addApp());
    const there = await scene.file('there.tar.gz', 'precious');
    const cases: [args: string[], words: RegExp][] = [
      [['--bundle', there], /--bundle .+ exists already: name another file/],
      [['--bundle', join(scene.folder, 'no', 'x')], /--bundle .+ does not exist, or its folder does not/],
      [['--bundle', join(scene.folder, 'new'), '--log', '/does/not/exist'], /--log \/does\/not\/exist does not exist/],
      [['--log', there], /--log is of no use without --bundle/],
    ];
    for (const [args, words] of cases) {
      const { code, stderr, stdout } = await scene.run(['doctor', ...args], env);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, words);
    }
    assert.equal(await readFile(there, 'utf8'), 'precious');
    await assert.rejects(stat(join(scene.folder, 'new')), { code: 'ENOENT' });
  });
});

describe('the parts of the archive', () => {
  it('are files of any size, with their time and mode', async () => {
    const sizes = [0, 1, 511, 512, 513, 70_000];
    const entries = sizes.map((size) => ({ name: `f/${size}`, content: 'é'.repeat(size) }));
    const at = Date.parse('2026-03-02T08:00:00Z');
    const file = join(scene.folder, 'sizes.tar.gz');
    await writeFile(file, gzipSync(tar(entries, at)));
    const { stdout } = await promisify(execFile)('tar', ['--utc', '--full-time', '-tvzf', file]);
    assert.deepEqual(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.replace(/ +/g, ' ')),
      sizes.map((size) => `-rw------- 0/0 ${size * 2} 2026-03-02 08:00:00 f/${size}`),
    );
    const { files } = await unpack(file);
    for (const { content, name } of entries) assert.equal(files.get(name.replace('f/', '')), content);
    assert.throws(() => tar([{ name: 'x'.repeat(101), content: '' }], at), RangeError);
  });

  it('hold the end of a long log, from a whole line on', async () => {
    const lines = Array.from({ length: 60_000 }, (_, index) => `line ${index} ${'.'.repeat(80)}`);
    const file = await scene.file('long.log', `${lines.join('\n')}\n`);
    const kept = (await readLogTail(file, (line) => line)).trimEnd().split('\n');
    assert.deepEqual([kept.length, kept[0], kept.at(-1)], [5_000, lines.at(-5_000), lines.at(-1)]);
    const wide = await scene.file('wide.log', `${'x'.repeat(3_000_000)}\n${'y'.repeat(3_000_000)}\nz\n`);
    const [first = '', ...others] = (await readLogTail(wide, (line) => line)).split('\n');
    assert.deepEqual([first.slice(0, 3), first.length, others], ['yyy', 3_000_000, ['z', '']]);
    assert.equal(await readLogTail(await scene.file('empty.log', ''), (line) => line), '');
  });
});
