/**
 * A process under measurement: what it writes goes to a file, as under a process manager, and not through this process,
 * which would pay for reading it. One that takes orders gets them as messages, one at a time, and answers each with one
 * (child-orders.ts). Killed at the end; nothing of it is left.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchContext } from './benchmark.js';

export interface ChildOptions {
  /** Names the log file. */
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** It takes orders. */
  readonly takesOrders?: boolean;
}

export interface Child {
  readonly pid: number;
  /** Everything it writes. */
  readonly logFile: string;
  /** By `performance.now()`. */
  readonly startedAt: number;
  /** What it answers to the order. @throws Error when there is no answer within the limit */
  order(order: unknown, limitMs: number): Promise<unknown>;
  hasEnded(): boolean;
  kill(): Promise<void>;
}

/**
 * A Node process with nothing of our own environment but what finds programs and temporary files. When it ends by itself
 * the benchmark fails with the last lines it wrote.
 */
export function startChild(context: BenchContext, { name, args, env, takesOrders }: ChildOptions): Child {
  const logFile = join(context.folder, `${name}.log`);
  const log = openSync(logFile, 'a');
  const { HOME = '', PATH = '', TMPDIR } = process.env;
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, {
    env: { HOME, PATH, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...env },
    stdio: ['ignore', log, log, ...(takesOrders === true ? (['ipc'] as const) : [])],
  });
  closeSync(log);
  let wanted = true;
  const gone = once(child, 'exit').then(([code, signal]) => {
    if (!wanted) return;
    const tail = readFileSync(logFile, 'utf8').split('\n').slice(-10).join('\n');
    context.fail(new Error(`${name} ended with ${code ?? signal}:\n${tail}`));
  });
  const started: Child = {
    pid: child.pid ?? 0,
    logFile,
    startedAt,
    async order(order, limitMs) {
      const answered = once(child, 'message', { signal: AbortSignal.timeout(limitMs) });
      // A child that has ended by itself: the benchmark fails for that, with its last lines.
      child.send({ order }, () => undefined);
      return (await answered)[0];
    },
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    async kill() {
      wanted = false;
      child.kill('SIGKILL');
      await gone;
    },
  };
  context.after(() => started.kill());
  return started;
}
