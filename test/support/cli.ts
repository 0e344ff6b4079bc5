/** The command line as shipped, in a process of its own: `node dist/main.js …`, with the output as two texts. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';

const MAIN = resolve(import.meta.dirname, '../../dist/main.js');

export interface Ended {
  /** null: ended by `signal`. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  /** Resolves when standard error holds this text. */
  says(text: string, timeoutMs?: number): Promise<void>;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

export type CliEnv = Readonly<Record<string, string>>;

/** Runs it to its end. */
export const cli = (args: readonly string[], env: CliEnv = {}): Promise<Ended> => startCli(args, env).ended;

/** Only PATH, the mark of the test run and what is given are in its environment. Killed after 40 s. */
export function startCli(args: readonly string[], env: CliEnv = {}): Running {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      ...(process.env['TEST_RUN_ID'] === undefined ? {} : { TEST_RUN_ID: process.env['TEST_RUN_ID'] }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 40_000,
    killSignal: 'SIGKILL',
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  return {
    says: (text, timeoutMs = 30_000) => heard(child, stderr, text, timeoutMs),
    signal: (name) => child.kill(name),
    ended: once(child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: stdout.text,
      stderr: stderr.text,
    })),
  };
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

function collect(stream: Readable): { text: string } {
  const collected = { text: '' };
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    collected.text += chunk;
  });
  return collected;
}

function heard(child: Child, stderr: { readonly text: string }, text: string, timeoutMs: number): Promise<void> {
  return new Promise((resolveHeard, reject) => {
    const look = (): void => {
      if (stderr.text.includes(text)) finish();
    };
    const finish = (why?: string): void => {
      clearTimeout(timer);
      child.stderr.off('data', look);
      child.off('close', ended);
      if (why === undefined) resolveHeard();
      else reject(new Error(`${why} before saying ${JSON.stringify(text)}: ${stderr.text}`));
    };
    const ended = (): void => finish('it ended');
    const timer = setTimeout(() => finish('time was over'), timeoutMs);
    child.stderr.on('data', look);
    child.once('close', ended);
    look();
  });
}
