import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, it } from 'node:test';

const { findLeftovers } = (await import(new URL('../../scripts/leftovers.mjs', import.meta.url).href)) as {
  findLeftovers(marks: { runId: string; folder: string; session: number }): { pid: number; command: string }[];
};

const NOTHING = { runId: 'no-such-run', folder: '/no/such/folder', session: -1 };

const started: ChildProcess[] = [];

/** A process that waits; `detached` gives it a session of its own. */
async function waiting(env: Record<string, string>, { argument = 'x', detached = false } = {}): Promise<ChildProcess> {
  const code = 'process.stdout.write("up"); setInterval(() => undefined, 1000)';
  const child = spawn(process.execPath, ['-e', code, '--', argument], {
    env,
    detached,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  started.push(child);
  assert.ok(child.stdout);
  await once(child.stdout, 'data');
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

const pidsOf = (marks: Parameters<typeof findLeftovers>[0]): number[] => findLeftovers(marks).map(({ pid }) => pid);

describe('leftovers of a test run', () => {
  afterEach(async () => {
    await Promise.all(started.splice(0).map(end));
  });

  it('are found by the environment, also in a session of their own, until they end', async () => {
    const child = await waiting({ TEST_RUN_ID: 'run-1' }, { detached: true });
    assert.deepEqual(pidsOf({ ...NOTHING, runId: 'run-1' }), [child.pid]);
    assert.deepEqual(pidsOf({ ...NOTHING, runId: 'run-' }), []);
    await end(child);
    assert.deepEqual(pidsOf({ ...NOTHING, runId: 'run-1' }), []);
  });

  it('are found by the session when the environment was replaced', async () => {
    const child = await waiting({}, { detached: true });
    assert.deepEqual(pidsOf({ ...NOTHING, session: child.pid ?? 0 }), [child.pid]);
  });

  it("are found by the run's folder on the command line", async () => {
    const child = await waiting({}, { argument: '--dir=/tmp/authd-test-abc/redis' });
    assert.deepEqual(pidsOf({ ...NOTHING, folder: '/tmp/authd-test-abc' }), [child.pid]);
  });

  it("are found by the run's folder in an environment that a process manager has made", async () => {
    const child = await waiting({ PM2_HOME: '/tmp/authd-test-def/pm2' }, { detached: true });
    assert.deepEqual(pidsOf({ ...NOTHING, folder: '/tmp/authd-test-def' }), [child.pid]);
  });
});
