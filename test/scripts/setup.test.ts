import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../scripts/setup.mjs', import.meta.url));
const isRoot = process.getuid?.() === 0;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('setup', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'authd-setup-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** A folder to be the whole PATH, with programs that are these shell scripts. */
  const programs = (name: string, scripts: Readonly<Record<string, string>>): string => {
    const path = join(folder, name);
    mkdirSync(path);
    for (const [program, script] of Object.entries(scripts)) {
      writeFileSync(join(path, program), `#!/bin/sh\n${script}\n`);
      chmodSync(join(path, program), 0o755);
    }
    return path;
  };

  const setup = (path: string, { args = [] as string[], env = {} } = {}): Promise<Outcome> =>
    new Promise((resolve) => {
      execFile(process.execPath, [SCRIPT, ...args], { env: { PATH: path, ...env } }, (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      });
    });

  it('does nothing where everything is there', async () => {
    const path = programs('complete', {
      'redis-server': 'exit 1',
      chromium: 'exit 1',
      npm: 'exit 1',
      'apt-get': 'exit 1',
    });
    const { code, stdout, stderr } = await setup(path, { args: ['--chromium'] });
    assert.equal(code, 0);
    assert.equal(stdout, '');
    assert.equal(stderr, `Ready. ${path}/redis-server ${path}/chromium\n`);
  });

  it('says in one sentence what to install where it cannot', async () => {
    const { code, stderr } = await setup(programs('bare', {}));
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^redis-server is needed and is not on PATH; .*apt-get install redis-server.*DEMO_REDIS_URL.*\n$/,
    );
  });

  it('asks for no redis-server where DEMO_REDIS_URL names one', async () => {
    const { code, stderr } = await setup(programs('remote', {}), { env: { DEMO_REDIS_URL: 'redis://127.0.0.1:1' } });
    assert.deepEqual([code, stderr], [0, 'Ready.\n']);
  });

  it('takes a missing chromium for a reason, not for an error', async () => {
    const { code, stderr } = await setup(programs('no-browser', { 'redis-server': '' }), { args: ['--chromium'] });
    assert.equal(code, 0);
    assert.match(stderr, /chromium is not on PATH; .* Install it/);
  });

  it('has the package manager install redis-server when run as root, and says so', async () => {
    const path = programs('apk', {});
    writeFileSync(
      join(path, 'apk'),
      `#!/bin/sh\necho "apk $*"\necho > ${path}/redis-server\n/bin/chmod 755 ${path}/redis-server\n`,
    );
    chmodSync(join(path, 'apk'), 0o755);
    const { code, stdout, stderr } = await setup(path);
    assert.equal(stdout, '');
    if (isRoot) {
      assert.equal(code, 0);
      const lines = ['redis-server is not installed: installing it with apk ...', 'apk add --no-cache redis'];
      assert.equal(stderr, `${lines.join('\n')}\nReady. ${path}/redis-server\n`);
    } else {
      assert.equal(code, 1);
      assert.match(stderr, /only when run as root/);
    }
  });
});
