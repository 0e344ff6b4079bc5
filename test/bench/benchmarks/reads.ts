/**
 * How many token reads a second the API answers, against the same route with one plain GET in a process of its own. Same
 * users, same clients, same authentication, one log line a read on both sides; the callers are a third process, rounds
 * in turn.
 */
import type { BenchContext, Benchmark, Row } from '../benchmark.js';
import { type Callers, startCallers } from '../callers.js';
import { cpuMs } from '../process-usage.js';
import { startReading } from '../reading.js';
import { newBenchScene } from '../scene.js';
import { median, quantile } from '../statistics.js';

const USERS = 2_000;
const READERS = 64;
const CONNECTIONS = 64;
const ROUNDS = 5;
const WARM_UP_MS = 2_000;
const ROUND_MS = 1_500;

export const reads: Benchmark = {
  name: 'reads',
  what: 'token reads over HTTP, as many as go through, against the same route with one plain Redis GET',
  seconds: 25,
  run: measure,
};

interface Side {
  readonly name: string;
  readonly pid: number;
  readonly callers: Callers;
}

interface Measured {
  readonly perSecond: number;
  /** Processor time of the server, microseconds. */
  readonly cpuPerRead: number;
  readonly p99: number;
}

async function measure(context: BenchContext): Promise<Row[]> {
  const scene = await newBenchScene(context, { apps: 1, users: 0 });
  const { bare, daemon, openIds, readers } = await startReading(context, scene, { users: USERS, readers: READERS });
  const secrets = readers.map(({ secret }) => secret);
  const callersOf = (port: number): Callers =>
    startCallers(context, { ports: [port], connectionsEach: CONNECTIONS, secrets });
  const sides: Readonly<Record<'daemon' | 'bare', Side>> = {
    daemon: { name: 'daemon', pid: daemon.process.pid, callers: callersOf(daemon.port) },
    bare: { name: 'one GET', pid: bare.process.pid, callers: callersOf(bare.port) },
  };
  const round = async ({ callers, name, pid }: Side, durationMs: number): Promise<Measured> => {
    const before = cpuMs(pid);
    const result = await callers.ask({ durationMs, openIds });
    const count = result.latenciesMs.length;
    if (result.statuses['200'] !== count) throw new Error(`${name} answered ${JSON.stringify(result.statuses)}`);
    const measured = {
      perSecond: (count * 1000) / result.tookMs,
      cpuPerRead: ((cpuMs(pid) - before) * 1000) / count,
      p99: quantile(result.latenciesMs, 0.99),
    };
    context.say(
      `${name}: ${measured.perSecond.toFixed(0)} reads a second, ${measured.cpuPerRead.toFixed(0)} us each, ` +
        `p99 ${measured.p99.toFixed(1)} ms; the callers used ${((100 * result.cpuMs) / result.tookMs).toFixed(0)} % of a core`,
    );
    return measured;
  };

  for (const side of [sides.daemon, sides.bare]) await round(side, WARM_UP_MS);
  const ours: Measured[] = [];
  const theirs: Measured[] = [];
  for (let count = 0; count < ROUNDS; count += 1) {
    ours.push(await round(sides.daemon, ROUND_MS));
    theirs.push(await round(sides.bare, ROUND_MS));
  }
  const of = (read: (result: Measured) => number) => ({
    measured: median(ours.map(read)),
    baseline: { what: 'one plain GET', value: median(theirs.map(read)) },
  });
  const name = `Token reads, ${CONNECTIONS} connections`;
  return [
    {
      what: `${name}: answers`,
      unit: '/s',
      ...of(({ perSecond }) => perSecond),
      goal: { of: 'ratio', bound: 'least', value: 0.5 },
    },
    { what: `${name}: processor time of the server`, unit: 'us', ...of(({ cpuPerRead }) => cpuPerRead) },
    { what: `${name}: p99`, unit: 'ms', ...of(({ p99 }) => p99) },
  ];
}
