/**
 * `npm run bench [-- name …]`: runs the benchmarks one after another, progress to `complain`, the table to `print` at
 * the very end. A goal that is missed is a result; only a measurement that could not be made is a failure.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Benchmark, Row } from './benchmark.js';
import { isMet } from './benchmark.js';
import { acks } from './benchmarks/acks.js';
import { authorize } from './benchmarks/authorize.js';
import { bytes } from './benchmarks/bytes.js';
import { codes } from './benchmarks/codes.js';
import { race } from './benchmarks/race.js';
import { reads } from './benchmarks/reads.js';
import { refresh } from './benchmarks/refresh.js';
import { schedule } from './benchmarks/schedule.js';
import { start } from './benchmarks/start.js';
import { thousand } from './benchmarks/thousand.js';
import { waiting } from './benchmarks/waiting.js';
import { watching } from './benchmarks/watching.js';
import { machineFacts } from './machine.js';
import { renderTable } from './table.js';

export interface BenchOptions {
  /** Names of benchmarks; none: all. */
  readonly names: readonly string[];
  readonly signal: AbortSignal;
  print(line: string): void;
  complain(line: string): void;
}

const CLOSE_LIMIT_MS = 5_000;

const BENCHMARKS: readonly Benchmark[] = [
  acks,
  authorize,
  waiting,
  thousand,
  codes,
  refresh,
  race,
  reads,
  schedule,
  bytes,
  watching,
  start,
];

/** The exit code: 0 all was measured, 1 something was not, 2 an unknown name. */
export async function runBench(options: BenchOptions): Promise<number> {
  const { names, signal, print, complain } = options;
  const unknown = names.filter((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
  if (unknown.length > 0) {
    complain(`Unknown: ${unknown.join(' ')}. There is: npm run bench [-- name …]`);
    for (const { name, seconds, what } of BENCHMARKS) complain(`  ${name.padEnd(10)} ${seconds} s  ${what}`);
    return 2;
  }
  const chosen = BENCHMARKS.filter(({ name }) => names.length === 0 || names.includes(name));
  const facts = machineFacts();
  const expected = chosen.reduce((sum, { seconds }) => sum + seconds, 0);
  complain(`${facts}. About ${expected} s.`);
  const startedAt = performance.now();
  const rows: Row[] = [];
  const failures: string[] = [];
  for (const benchmark of chosen) {
    if (signal.aborted) break;
    complain(`${benchmark.name}: ${benchmark.what}`);
    try {
      rows.push(...(await runOne(benchmark, signal, complain)));
    } catch (error) {
      failures.push(`${benchmark.name}: ${error instanceof Error ? error.message : String(error)}`);
      complain(`  could not be measured: ${failures.at(-1)}`);
    }
  }
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  print(`\n${facts}; ${seconds} s\n\n${renderTable(rows)}\n`);
  const judged = rows.map(isMet).filter((met) => met !== null);
  print(`${judged.filter((met) => met).length} of ${judged.length} goals met`);
  for (const failure of failures) print(`NOT MEASURED ${failure}`);
  return failures.length === 0 && !signal.aborted ? 0 : 1;
}

/** Closes what the benchmark opened, whatever came of it. */
async function runOne(
  benchmark: Benchmark,
  signal: AbortSignal,
  complain: (line: string) => void,
): Promise<readonly Row[]> {
  const startedAt = performance.now();
  const closers: (() => Promise<void> | void)[] = [];
  let over = false;
  const folder = await mkdtemp(join(tmpdir(), `authd-bench-${benchmark.name}-`));
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const limit = benchmark.seconds * 3;
  const timer = setTimeout(() => fail(new Error(`it took longer than ${limit} s`)), limit * 1000);
  const stop = (): void => fail(new Error('interrupted'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    const measured = benchmark.run({
      folder,
      say: (text) => complain(`  ${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s  ${text}`),
      // What a benchmark opens after it was given up is closed at once.
      after: (close) => void (over ? inTime(close) : closers.push(close)),
      fail,
    });
    return await Promise.race([measured, failed]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    over = true;
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await inTime(close);
    await rm(folder, { recursive: true, force: true });
  }
}

/** What does not close in time is left: the next benchmark must not wait for it. */
async function inTime(close: () => Promise<void> | void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_LIMIT_MS);
  });
  await Promise.race([(async () => await close())(), late]).finally(() => clearTimeout(timer));
}
