/**
 * How many token reads a second the API answers, against the same route with one plain GET in a process of its own. Same
 * users, same clients, same authentication, one log line a read on both sides; the callers are a third process, rounds
 * in turn. Users who are read again and again, and so many in turn that the daemon opens each grant anew.
 */
import type { BenchContext, Benchmark, Row } from '../benchmark.js';
import { type Callers, startCallers } from '../callers.js';
import { cpuMs } from '../process-usage.js';
import { startReading } from '../reading.js';
import { newBenchScene } from '../scene.js';
import { median, quantile } from '../statistics.js';

const USERS = 500;
/** More than the daemon remembers to have opened (src/store/opened-grants.ts). */
const MANY_USERS = 5_000;
const READERS = 64;
const CONNECTIONS = 64;
const ROUNDS = 5;
const ROUND_MS = 1_000;
/** The API allows a client 1,200 calls in 10 s. No more than eleven rounds lie in those, eight of them the daemon's. */
const MOST_CALLS = Math.floor((READERS * 1_200) / 8);

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
  readonly openIds: readonly string[];
}

interface Measured {
  readonly perSecond: number;
  /** Processor time of the server, microseconds. */
  readonly cpuPerRead: number;
  readonly p99: number;
}

async function measure(context: BenchContext): Promise<Row[]> {
  const scene = await newBenchScene(context, { apps: 1, users: 0 });
  const counts = { users: MANY_USERS, readers: READERS };
  const { bare, daemon, openIds: many, readers } = await startReading(context, scene, counts);
  const openIds = many.slice(0, USERS);
  const secrets = readers.map(({ secret }) => secret);
  const callersOf = (port: number): Callers =>
    startCallers(context, { ports: [port], connectionsEach: CONNECTIONS, secrets });
  const daemonSide = { name: 'daemon', pid: daemon.process.pid, callers: callersOf(daemon.port), openIds };
  const sides: readonly Side[] = [
    daemonSide,
    { name: 'one GET', pid: bare.process.pid, callers: callersOf(bare.port), openIds },
    { ...daemonSide, name: 'daemon, opening each', openIds: many },
  ];
  for (const side of sides) await round(context, side);
  const results: Measured[][] = sides.map(() => []);
  for (let count = 0; count < ROUNDS; count += 1) {
    for (const [i, side] of sides.entries()) results[i]?.push(await round(context, side));
  }
  return rowsOf(results);
}

async function round(context: BenchContext, { callers, name, openIds, pid }: Side): Promise<Measured> {
  const before = cpuMs(pid);
  const result = await callers.ask({ durationMs: ROUND_MS, mostCalls: MOST_CALLS, openIds });
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
  await new Promise((resolve) => setTimeout(resolve, ROUND_MS - result.tookMs));
  return measured;
}

function rowsOf([ours = [], plain = [], opening = []]: readonly (readonly Measured[])[]): Row[] {
  const against = (results: readonly Measured[], read: (result: Measured) => number) => ({
    measured: median(results.map(read)),
    baseline: { what: 'one plain GET', value: median(plain.map(read)) },
  });
  const name = `Token reads, ${CONNECTIONS} connections`;
  const rest = `of ${MANY_USERS.toLocaleString('en-US')} users in turn, each opened anew`;
  return [
    {
      what: `${name}: answers`,
      unit: '/s',
      ...against(ours, ({ perSecond }) => perSecond),
      goal: { of: 'ratio', bound: 'least', value: 0.5 },
    },
    { what: `${name}: processor time of the server`, unit: 'us', ...against(ours, ({ cpuPerRead }) => cpuPerRead) },
    { what: `${name}: p99`, unit: 'ms', ...against(ours, ({ p99 }) => p99) },
    { what: `${name}, ${rest}: answers`, unit: '/s', ...against(opening, ({ perSecond }) => perSecond) },
    { what: `${name}, ${rest}: processor time`, unit: 'us', ...against(opening, ({ cpuPerRead }) => cpuPerRead) },
  ];
}
