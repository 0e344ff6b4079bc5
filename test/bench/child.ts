/**
 * A process under measurement: what it writes goes to a file, as under a process manager, and not through this process,
 * which would pay for reading it. Killed at the end; nothing of it is left.
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
}

export interface Child {
  readonly pid: number;
  /** By `performance.now()`. */
  readonly startedAt: number;
  kill(): Promise<void>;
}

/**
 * A Node process with nothing of our own environment but what finds programs and temporary files. When it ends by itself
 * the benchmark fails with the last lines it wrote.
 */
export function startChild(context: BenchContext, { name, args, env }: ChildOptions): Child {
  const logFile = join(context.folder, `${name}.log`);
  const log = openSync(logFile, 'a');
  const { HOME = '', PATH = '', TMPDIR } = process.env;
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, {
    env: { HOME, PATH, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...env },
    stdio: ['ignore', log, log],
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
    startedAt,
    async kill() {
      wanted = false;
      child.kill('SIGKILL');
      await gone;
    },
  };
  context.after(() => started.kill());
  return started;
}
