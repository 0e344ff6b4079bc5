/**
 * How long the daemon takes until it is ready and what it holds in memory when it has settled, against a bare SDK client
 * process that connects to the same place. Several starts of both, in turn; the middle one counts.
 */
import type { App } from '../../simulator/directory.js';
import { type BareProcess, startBareClient } from '../bare-process.js';
import type { BenchContext, Benchmark, Row } from '../benchmark.js';
import type { Child } from '../child.js';
import { type BenchDaemon, startDaemon } from '../daemon-process.js';
import { residentMb } from '../process-usage.js';
import { newBenchScene } from '../scene.js';
import { median } from '../statistics.js';

const STARTS = 5;
/** V8 gives back what was only needed for the start after some 8 to 16 s without much to do. */
const SETTLE_MS = 20_000;

export const start: Benchmark = {
  name: 'start',
  what: 'time to ready and resident memory, against a bare SDK client process',
  seconds: 35,
  run: measure,
};

async function measure(context: BenchContext): Promise<Row[]> {
  const { apps, redis, sim } = await newBenchScene(context, { apps: 2, users: 0 });
  const [ours, bares] = apps as [App, App];
  const daemons: BenchDaemon[] = [];
  const bare: BareProcess[] = [];
  for (let count = 0; count < STARTS; count += 1) {
    daemons.push(await startDaemon(context, { feishuUrl: sim.baseUrl, redisUrl: redis.url, apps: [ours] }));
    bare.push(await startBareClient(context, sim, bares));
    context.say(
      `daemon ready after ${daemons.at(-1)?.readyMs.toFixed(0)} ms, bare client ${bare.at(-1)?.readyMs.toFixed(0)} ms`,
    );
  }
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const readyMs = ({ readyMs: ms }: { readonly readyMs: number }): number => ms;
  const memory = ({ process: { pid } }: { readonly process: Child }): number => residentMb(pid);
  const baseline = (samples: readonly number[]) => ({ what: 'bare SDK client', value: median(samples) });
  return [
    {
      what: `Start to ready (/readyz 200), median of ${STARTS}`,
      measured: median(daemons.map(readyMs)),
      unit: 'ms',
      baseline: baseline(bare.map(readyMs)),
      goal: { of: 'measured', bound: 'most', value: 1_500 },
    },
    {
      what: `Resident memory ${SETTLE_MS / 1000} s later, median of ${STARTS}`,
      measured: median(daemons.map(memory)),
      unit: 'MB',
      baseline: baseline(bare.map(memory)),
      goal: { of: 'ratio', bound: 'most', value: 1.9 },
    },
  ];
}
