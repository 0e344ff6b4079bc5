/** `npm run demo` as a process: what it prints, how it ends, and that nothing is left of it. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { newRedisServer } from '../support/redis-server.js';

const SCRIPT = fileURLToPath(new URL('../../scripts/demo.mjs', import.meta.url));
const GONE_MS = 10_000;

interface Run {
  readonly child: ChildProcess;
  output(): string;
  /** The first match in what was printed, now or later. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  ended: Promise<{ code: number | null; signal: string | null }>;
}

describe('npm run demo', () => {
  let folder: string;
  const runs: Run[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'authd-demo-test-'));
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  /** What a failed test has left: the demo's own guard ends its parts. */
  afterEach(async () => {
    for (const run of runs.splice(0)) {
      run.child.kill('SIGKILL');
      await run.ended;
    }
    await nothingLeft();
  });

  const start = (args: string[], env: Record<string, string> = {}): Run => {
    const child = spawn(process.execPath, [SCRIPT, ...args], {
      // Everything the demo starts inherits TMPDIR: by it the parts are found again.
      env: { ...process.env, TMPDIR: folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const waiting = new Set<() => void>();
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        for (const look of [...waiting]) look();
      });
    }
    const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }) as Awaited<Run['ended']>);
    const line = (pattern: RegExp): Promise<RegExpExecArray> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(output);
          if (!match) return;
          waiting.delete(look);
          resolve(match);
        };
        waiting.add(look);
        ended.then(() => reject(new Error(`the demo ended without ${pattern}: ${output}`)), reject);
        look();
      });
    const run: Run = { child, output: () => output, line, ended };
    runs.push(run);
    return run;
  };

  /** Processes that carry this test's TMPDIR, the demo itself left out. */
  const parts = async (run?: Run): Promise<{ pid: number; command: string }[]> => {
    const found: { pid: number; command: string }[] = [];
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name) || Number(name) === run?.child.pid) continue;
      const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
      const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
      if (command !== '' && environment.split('\0').includes(`TMPDIR=${folder}`))
        found.push({ pid: Number(name), command });
    }
    return found;
  };

  const part = async (run: Run, word: string): Promise<number> => {
    const found = (await parts(run)).find(({ command }) => command.includes(word));
    assert.ok(found, `no part ${word}`);
    return found.pid;
  };

  const nothingLeft = async (): Promise<void> => {
    const deadline = Date.now() + GONE_MS;
    const left = async (): Promise<string[]> => [
      ...(await parts()).map(({ pid, command }) => `${pid} ${command}`),
      ...(await readdir(folder)).filter((name) => name.startsWith('authd-demo-')),
    ];
    while ((await left()).length > 0 && Date.now() < deadline) await sleep(100);
    assert.deepEqual(await left(), []);
  };

  /** The demo in use: its page answers. */
  const serving = async (run: Run): Promise<string> => {
    const [, url = ''] = await run.line(/^ {2}(http:\/\/127\.0\.0\.1:\d+\/)$/m);
    const page = await fetch(url);
    assert.match(await page.text(), /<title>Feishu/);
    return url;
  };

  it('with --auto authorizes a user from card to token, prints the steps with their times and exits 0', async () => {
    const run = start(['--auto']);
    assert.deepEqual(await run.ended, { code: 0, signal: null }, run.output());
    const steps = [
      'asked:',
      'card sent:',
      'clicked Authorize:',
      'card shows the link:',
      'agreed',
      'session completed:',
    ];
    let from = 0;
    for (const step of [...steps, 'card turned to', 'token read by the service:', 'Everything is stopped.']) {
      const match = new RegExp(`^ *\\d+\\.\\d\\d s {2}${step}`, 'm').exec(run.output().slice(from));
      assert.ok(match, `"${step}" is missing or out of order: ${run.output()}`);
      from += match.index;
    }
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`ends on ${signal} and leaves nothing running`, async () => {
      const run = start([]);
      const url = await serving(run);
      assert.equal((await parts(run)).filter(({ command }) => !command.includes('esbuild')).length, 3);
      run.child.kill(signal);
      assert.deepEqual(await run.ended, { code: 0, signal: null }, run.output());
      await assert.rejects(fetch(url));
    });
  }

  for (const [name, word] of [
    ['redis-server', 'redis-server'],
    ['the simulated Feishu', 'simulator-process'],
    ['the daemon', 'dist/main.js'],
  ] as const) {
    it(`says so when ${name} dies, ends the rest and exits 1`, async () => {
      const run = start([]);
      await serving(run);
      process.kill(await part(run, word), 'SIGKILL');
      assert.deepEqual(await run.ended, { code: 1, signal: null }, run.output());
      assert.match(run.output(), new RegExp(`^${name} ended with SIGKILL\\. Its last lines:`, 'm'));
    });
  }

  it('leaves nothing running even when it is killed itself', async () => {
    const run = start([]);
    await serving(run);
    run.child.kill('SIGKILL');
    await run.ended;
  });

  it('stops a start half-way', async () => {
    const run = start([]);
    await run.line(/Redis answers/);
    run.child.kill('SIGINT');
    await run.ended;
    assert.doesNotMatch(run.output(), /The daemon is ready/);
  });

  it('uses the Redis of DEMO_REDIS_URL, with --code by the other grant, and takes its own keys away again', async () => {
    const redis = await newRedisServer();
    try {
      await redis.client.set('somebody:else', '1');
      const run = start(['--auto', '--code'], { DEMO_REDIS_URL: redis.url });
      assert.equal((await run.ended).code, 0, run.output());
      assert.match(run.output(), /her browser came back to the callback server: 200 .*token read by the service/s);
      assert.deepEqual(await redis.client.keys('*'), ['somebody:else']);
    } finally {
      await redis.close();
    }
  });

  it('says what is wrong with a Redis that does not answer', async () => {
    const run = start(['--auto'], { DEMO_REDIS_URL: 'redis://127.0.0.1:1' });
    assert.equal((await run.ended).code, 1);
    assert.match(run.output(), /^The demo failed: the Redis of DEMO_REDIS_URL does not answer \(.+\)\.$/m);
  });

  it('refuses words it does not know', async () => {
    const run = start(['--fast']);
    assert.equal((await run.ended).code, 1);
    assert.match(run.output(), /Unknown: --fast/);
  });
});
