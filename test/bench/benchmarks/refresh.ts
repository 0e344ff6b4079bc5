/**
 * What one refresh costs the daemon, asked for by a client one after the other, and found due by the schedule: lease,
 * intent, budget, spool, store, lines. The baseline asks the same endpoint by `fetch` and keeps the token in memory.
 */
import { join } from 'node:path';
import type { App, User } from '../../simulator/directory.js';
import type { BenchContext, Benchmark, Row } from '../benchmark.js';
import { type Child, startChild } from '../child.js';
import { type BenchDaemon, startDaemon } from '../daemon-process.js';
import { consentAtFeishu, storeGrants } from '../grants-at-hand.js';
import { cpuMs } from '../process-usage.js';
import { countCommands } from '../redis-commands.js';
import { type BenchScene, newBenchScene } from '../scene.js';

/** Feishu's limits are for one app; with several, nobody waits for a turn. */
const APPS = 4;
const ROUNDS = 5;
const PER_ROUND = 60;
const WARM_UP = 80;
/** Of each app, due at the same time. */
const DUE = 36;
const DUE_WARM_UP = 10;
const COUNTED = 40;
/** Each is asked for once: at the second time within seconds the daemon would look through its spool first. */
const ASKED = (WARM_UP + ROUNDS * PER_ROUND + COUNTED) / APPS;
const ORDER_LIMIT_MS = 30_000;
const DUE_LIMIT_MS = 30_000;
/** Between rounds of the schedule: longer than the window of a limit per second. */
const PAUSE_MS = 1_500;
const WEEK_MS = 604_800_000;

export const refresh: Benchmark = {
  name: 'refresh',
  what: 'refreshes asked for one after the other, and due ones, against a bare fetch of the same endpoint',
  seconds: 20,
  run: measure,
};

async function measure(context: BenchContext): Promise<Row[]> {
  const simulator = { limits: { enforce: false } };
  const scene = await newBenchScene(context, { apps: APPS + 1, users: ASKED + DUE_WARM_UP + DUE, simulator });
  const { redis, sim } = scene;
  const apps = scene.apps.slice(0, APPS);
  const asking = scene.users.slice(0, ASKED);
  const others = scene.users.slice(ASKED);
  await consent(scene, apps, asking, { dueInMs: WEEK_MS });
  const daemon = await startDaemon(context, { feishuUrl: sim.baseUrl, redisUrl: redis.url, apps });
  const bare = await startBareRefresher(context, scene, scene.apps[APPS] as App, asking[0] as User);

  let asked = 0;
  const ask = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) {
      const { appId } = apps[asked % APPS] as App;
      const user = asking[Math.floor(asked / APPS)] as User;
      asked += 1;
      await daemon.call('POST', `/v1/users/${sim.openId(user, appId)}/token/refresh?app_id=${appId}`, {});
    }
  };
  await ask(WARM_UP);
  await bare.order(WARM_UP, ORDER_LIMIT_MS);
  const byRequest = { daemon: 0, bare: 0 };
  for (let round = 1; round <= ROUNDS; round += 1) {
    byRequest.daemon += await cpuOf(daemon.process.pid, () => ask(PER_ROUND));
    byRequest.bare += await cpuOf(bare.pid, () => bare.order(PER_ROUND, ORDER_LIMIT_MS));
    const [ours, theirs] = [byRequest.daemon, byRequest.bare].map((ms) => (ms / round / PER_ROUND).toFixed(2));
    context.say(`${round * PER_ROUND} refreshes: daemon ${ours} ms each, bare fetch ${theirs} ms each`);
  }
  const { inScripts, sent } = await countCommands(redis.client, () => ask(COUNTED));
  context.say(
    `Redis, each: ${(sent / COUNTED).toFixed(1)} calls, ${(inScripts / COUNTED).toFixed(1)} commands in scripts`,
  );

  await refreshDue(scene, daemon, apps, others.slice(0, DUE_WARM_UP));
  const due = await refreshDue(scene, daemon, apps, others.slice(DUE_WARM_UP));
  context.say(`${DUE * APPS} due ones were refreshed: ${due.toFixed(2)} ms each`);
  const count = ROUNDS * PER_ROUND;
  const baseline = { what: 'bare fetch', value: byRequest.bare / count };
  return [
    { what: 'Refresh, asked for: processor time', measured: byRequest.daemon / count, unit: 'ms', baseline },
    { what: 'Refresh, asked for: Redis calls', measured: sent / COUNTED, unit: '' },
    { what: 'Refresh, due by the schedule: processor time', measured: due, unit: 'ms', baseline },
  ];
}

/** Milliseconds of processor time that a process uses while something is done. */
async function cpuOf(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = cpuMs(pid);
  await work();
  return cpuMs(pid) - before;
}

/** Users who have consented; `due`: their tokens are in use and over. */
async function consent(
  { redis, sim }: BenchScene,
  apps: readonly App[],
  users: readonly User[],
  { dueInMs }: { readonly dueInMs: number },
): Promise<void> {
  const pairs = apps.flatMap((app) => users.map((user) => ({ app, user })));
  const grants = await Promise.all(
    pairs.map(async ({ app, user }) => {
      const tokens = await consentAtFeishu(sim, app, user);
      const dueAt = Date.now() + dueInMs;
      const isDue = dueInMs === 0;
      return {
        appId: app.appId,
        openId: sim.openId(user, app.appId),
        tokens: isDue ? { ...tokens, expiresAt: dueAt } : tokens,
        dueAt,
        isUsed: isDue,
      };
    }),
  );
  await storeGrants(redis, grants);
}

/** Puts grants that are due before the daemon. Returns the processor time of each, milliseconds. */
async function refreshDue(
  scene: BenchScene,
  daemon: BenchDaemon,
  apps: readonly App[],
  users: readonly User[],
): Promise<number> {
  const { sim } = scene;
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  const openIds = new Set(apps.flatMap(({ appId }) => users.map((user) => sim.openId(user, appId))));
  const refreshed = (): number =>
    new Set(
      sim.calls
        .filter(
          ({ endedAt, grant, openId = '' }) =>
            grant === 'refresh_token' && endedAt !== undefined && openIds.has(openId),
        )
        .map(({ openId }) => openId),
    ).size;
  const before = cpuMs(daemon.process.pid);
  await consent(scene, apps, users, { dueInMs: 0 });
  await sim.until(() => refreshed() === openIds.size, DUE_LIMIT_MS, 'every due grant refreshed');
  // The last answers are stored and their jobs finished.
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS / 5));
  return (cpuMs(daemon.process.pid) - before) / openIds.size;
}

async function startBareRefresher(context: BenchContext, { sim }: BenchScene, app: App, user: User): Promise<Child> {
  const { refreshToken } = await consentAtFeishu(sim, app, user);
  const options = { url: sim.baseUrl, appId: app.appId, appSecret: app.appSecret, refreshToken };
  return startChild(context, {
    name: 'bare-refresher',
    args: [join(import.meta.dirname, '../bare-refresher.mjs'), JSON.stringify(options)],
    env: {},
    takesOrders: true,
  });
}
