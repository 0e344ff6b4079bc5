/** Processes know of each other while they run, and no longer: after a `kill -9`, too. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import type { LongConnectionStatus } from '../../src/feishu/long-connection/status.js';
import { eventually } from '../support/crowd.js';
import { newPresence, type PresenceOptions } from '../support/presence.js';
import { newRedisServer } from '../support/redis-server.js';

const APP = 'cli_0123456789abcdef';
const CHILD = new URL('../support/presence-process.ts', import.meta.url);

async function newScene(t: TestContext, options: Partial<PresenceOptions> = {}) {
  const server = await newRedisServer();
  t.after(() => server.close());
  const one = await newPresence({ url: server.url, processId: 'one', everyMs: 100, ...options });
  t.after(async () => {
    await one.presence.stop();
    one.close();
  });
  one.presence.start();
  const names = async (): Promise<string[]> => (await one.processes.list()).map(({ id }) => id);
  /** Another process; resolves when it has told of itself. */
  const another = async (processId: string): Promise<ChildProcess> => {
    const child = fork(CHILD, [server.url, processId, '100'], { execArgv: ['--import', 'tsx'] });
    t.after(() => child.kill('SIGKILL'));
    assert.deepEqual((await once(child, 'message'))[0], 'told');
    return child;
  };
  return { ...one, server, names, another };
}

const connection = (fields: Partial<LongConnectionStatus> = {}): LongConnectionStatus => ({
  appId: APP,
  state: 'connected',
  since: 1_000,
  lastFrameAt: null,
  lastPongAt: null,
  lastEventAt: 2_000,
  connects: 1,
  reconnects: 0,
  rotations: 0,
  lastError: null,
  droppedFrames: 0,
  openSockets: 1,
  inHand: 0,
  ...fields,
});

describe('the presence of a process', () => {
  it('shows every process of the fleet, and one that was killed no longer', async (t) => {
    const { another, processes } = await newScene(t);
    const victim = await another('two');
    let lastNoteAt = 0;
    const names = async (): Promise<string> => {
      const lookedAt = performance.now();
      const seen = await processes.list();
      const note = seen.find(({ id }) => id === 'two');
      // Not later than it really was: the list was made after the look at the clock.
      if (note !== undefined) lastNoteAt = lookedAt - note.silentMs;
      return seen.map(({ id }) => id).join();
    };
    await eventually(async () => (await names()) === 'one,two', 20_000, 'both to be there');
    victim.kill('SIGKILL');
    await eventually(async () => (await names()) === 'one', 20_000, 'the killed one to be gone');
    const goneAfterMs = performance.now() - lastNoteAt;
    assert.ok(goneAfterMs >= 1_400, `it went after ${goneAfterMs} ms: who is only late is not gone`);
  });

  it('ends also where nobody else tells of himself', async (t) => {
    const { presence, processes } = await newScene(t, { everyMs: 60_000 });
    const note = await presence.note();
    // One after the other on one connection, however late this process is between them.
    const [, seen] = await Promise.all([processes.tell(note), processes.list()]);
    assert.equal(seen.length, 1);
    await eventually(async () => (await processes.list()).length === 0, 20_000, 'it to count as gone');
  });

  it('ends at once when a process stops in order', async (t) => {
    const { another, names } = await newScene(t);
    const child = await another('two');
    await eventually(async () => (await names()).length === 2, 20_000, 'both to be there');
    child.disconnect();
    await once(child, 'exit');
    assert.ok(!(await names()).includes('two'));
    await eventually(async () => (await names()).join() === 'one', 20_000, 'the other one to be there');
  });

  it('tells what a process is, its connections and why one is down', async (t) => {
    const lastError = { reason: 'forbidden', retry: 'slow', message: 'm', remedy: 'r', feishuCode: 403 } as const;
    const statuses = [
      connection(),
      connection({ appId: 'cli_b', state: 'reconnecting', lastError, lastEventAt: null }),
    ];
    const { processes } = await newScene(t, { connections: () => statuses });
    await eventually(async () => (await processes.list()).length === 1, 20_000, 'it to be there');
    const [{ silentMs, startedAt, ...seen } = assert.fail()] = await processes.list();
    assert.ok(silentMs < 3_000 && Date.now() - startedAt < 10_000);
    assert.deepEqual(seen, {
      id: 'one',
      host: hostname(),
      pid: process.pid,
      version: '1.2.3',
      roles: ['gateway'],
      connections: [
        { appId: APP, state: 'connected', since: 1_000, lastEventAt: 2_000, trouble: null },
        {
          appId: 'cli_b',
          state: 'reconnecting',
          since: 1_000,
          lastEventAt: null,
          trouble: { cause: 'forbidden', feishuCode: 403, logId: null },
        },
      ],
      stalledQueues: [],
      spoolEntries: 0,
      troubles: [],
    });
  });

  it('tells of a change at once, not at its next turn', async (t) => {
    let status = connection();
    const { presence, processes } = await newScene(t, { everyMs: 60_000, connections: () => [status] });
    const state = async () => (await processes.list())[0]?.connections[0]?.state;
    await eventually(async () => (await state()) === 'connected', 20_000, 'the first note');
    status = connection({ state: 'reconnecting' });
    presence.changed();
    await eventually(async () => (await state()) === 'reconnecting', 20_000, 'the change');
  });

  it('is told again by itself after Redis was away and came back empty', async (t) => {
    const { names, server } = await newScene(t);
    await eventually(async () => (await names()).length === 1, 20_000, 'it to be there');
    await server.kill();
    await server.start({ empty: true });
    await eventually(async () => (await names()).join() === 'one', 20_000, 'it to be back');
  });
});
