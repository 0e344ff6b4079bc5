/**
 * 80 people between link and consent at the same time, which is as many as Feishu's limit allows to poll for every 5 s.
 * The baseline does the same for 80 others: a bare SDK client that keeps everything in memory.
 */
import { askAll } from '../asking.js';
import { sendBareCards, startBareClient } from '../bare-process.js';
import type { BenchContext, Benchmark, Row } from '../benchmark.js';
import { gatherCrowd, turnedAfter } from '../crowd.js';
import { startDaemon } from '../daemon-process.js';
import { cpuMs } from '../process-usage.js';
import { type BenchScene, newBenchScene } from '../scene.js';
import { quantile, seededRandom } from '../statistics.js';

const PEOPLE = 80;
const PACE_SECONDS = 5;
const LIMIT_MS = 90_000;

/** 3 to 40 s from link to consent, evenly spread, the same in every run. */
export const thinkMs = (seed: number) => {
  const random = seededRandom(seed);
  return () => 3_000 + 37_000 * random();
};

export const waiting: Benchmark = {
  name: 'waiting',
  what: '80 people consent after 3 to 40 s, polls every 5 s, against a bare SDK client that polls as often',
  seconds: 60,
  run: measure,
};

async function measure(context: BenchContext): Promise<Row[]> {
  const scene = await newBenchScene(context, { apps: 2, users: PEOPLE });
  const { apps, redis, sim, users } = scene;
  const [ours, bares] = apps as [BenchScene['apps'][number], BenchScene['apps'][number]];
  const daemon = await startDaemon(context, { feishuUrl: sim.baseUrl, redisUrl: redis.url, apps: [ours] });
  const bare = await startBareClient(context, sim, bares);
  const base = { sim, users };
  const crowd = gatherCrowd(context, { ...base, appId: ours.appId, name: 'daemon', thinkMs: thinkMs(1) });
  const bareCrowd = gatherCrowd(context, { ...base, appId: bares.appId, name: 'bare client', thinkMs: thinkMs(1) });
  const before = { daemon: cpuMs(daemon.process.pid), bare: cpuMs(bare.process.pid) };
  sendBareCards(sim, bares, users);
  await askAll(daemon, sim, [ours], users);
  await Promise.all([crowd.finished(LIMIT_MS), bareCrowd.finished(LIMIT_MS)]);
  const cpu = { daemon: cpuMs(daemon.process.pid) - before.daemon, bare: cpuMs(bare.process.pid) - before.bare };
  if (bareCrowd.count() < PEOPLE) throw new Error(`the bare client lost ${PEOPLE - bareCrowd.count()} people`);

  const latency = (share: number): Row => ({
    what: `${PEOPLE} waiting, polls every ${PACE_SECONDS} s: consent to card, p${share * 100}`,
    measured: quantile(turnedAfter(crowd), share) / 1000,
    unit: 's',
    baseline: { what: 'bare SDK client', value: quantile(turnedAfter(bareCrowd), share) / 1000 },
  });
  return [
    latency(0.5),
    { ...latency(0.99), goal: { of: 'measured', bound: 'most', value: 1.5 * PACE_SECONDS } },
    {
      what: `${PEOPLE} waiting: not authorized in the end`,
      measured: PEOPLE - crowd.count(),
      unit: '',
      goal: { of: 'measured', bound: 'most', value: 0 },
    },
    {
      what: `${PEOPLE} waiting: processor time per session`,
      measured: cpu.daemon / PEOPLE,
      unit: 'ms',
      baseline: { what: 'bare SDK client', value: cpu.bare / PEOPLE },
    },
  ];
}
