/**
 * 1,000 people asked at once by one app: far more than Feishu's limits let through at the usual pace. Nobody may be lost,
 * no call may go over a limit, and the time is compared with the least the limits allow: 1,000 calls a minute for each
 * API, and every session needs one of several.
 */
import type { Simulator } from '../../simulator/simulator.js';
import { askAll, lookAtAll } from '../asking.js';
import type { BenchContext, Benchmark, Row } from '../benchmark.js';
import { gatherCrowd, turnedAfter } from '../crowd.js';
import { startDaemon } from '../daemon-process.js';
import { cpuMs } from '../process-usage.js';
import { newBenchScene } from '../scene.js';
import { quantile } from '../statistics.js';
import { thinkMs } from './waiting.js';

const PEOPLE = 1_000;
const LIMIT_MS = 420_000;
/** FEISHU.md §7, rate tier 4. */
const CALLS_PER_MINUTE = 1_000;

export const thousand: Benchmark = {
  name: 'thousand',
  what: '1,000 people asked at once by one app, consenting 3 to 40 s after they see the link',
  seconds: 150,
  run: measure,
};

async function measure(context: BenchContext): Promise<Row[]> {
  const { apps, redis, sim, users } = await newBenchScene(context, { apps: 1, users: PEOPLE });
  const [app] = apps as [(typeof apps)[number]];
  const daemon = await startDaemon(context, { feishuUrl: sim.baseUrl, redisUrl: redis.url, apps: [app] });
  const crowd = gatherCrowd(context, { sim, users, appId: app.appId, name: 'daemon', thinkMs: thinkMs(2) });
  const before = { cpu: cpuMs(daemon.process.pid), at: performance.now() };
  const sessionIds = await askAll(daemon, sim, [app], users);
  context.say('all are asked');
  await crowd.finished(LIMIT_MS);
  const tookMs = performance.now() - before.at;
  const cpu = cpuMs(daemon.process.pid) - before.cpu;
  const states = await lookAtAll(daemon, sessionIds, (session) => session['state']);
  for (const [kind, count] of overLimits(sim)) context.say(`over a limit: ${kind}: ${count}`);
  const name = '1,000 at once';
  const none = { of: 'measured', bound: 'most', value: 0 } as const;
  return [
    {
      what: `${name}: not authorized in the end (card or API)`,
      measured: PEOPLE - Math.min(crowd.count(), states.filter((state) => state === 'completed').length),
      unit: '',
      goal: none,
    },
    {
      what: `${name}: calls over Feishu's limits, of ${sim.calls.length}`,
      measured: sim.overLimit,
      unit: '',
      goal: none,
    },
    {
      what: `${name}: time per session`,
      measured: tookMs / PEOPLE,
      unit: 'ms',
      baseline: { what: `limit of ${CALLS_PER_MINUTE} calls a minute`, value: 60_000 / CALLS_PER_MINUTE },
    },
    { what: `${name}: consent to card, p50`, measured: quantile(turnedAfter(crowd), 0.5) / 1000, unit: 's' },
    { what: `${name}: consent to card, p99`, measured: quantile(turnedAfter(crowd), 0.99) / 1000, unit: 's' },
    { what: `${name}: processor time per session`, measured: cpu / PEOPLE, unit: 'ms' },
  ];
}

/** How many calls of which API broke which limit. */
function overLimits(sim: Simulator): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { api, overLimit } of sim.calls) {
    if (overLimit === undefined) continue;
    const kind = `${api} (${overLimit})`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}
