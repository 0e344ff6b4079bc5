/**
 * One process of the demo: started, watched, stopped. Each gets a process group of its own, so that Ctrl-C reaches
 * only the demo, which then stops its parts in order. Keeps the last lines a part has written, for when it dies.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface PartOptions {
  /** As people know it: "the daemon". */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** A channel for messages; it also tells the part when the demo itself has gone. */
  readonly ipc?: boolean;
}

const KEPT_LINES = 25;
const LONGEST_LINE = 2000;

/** A part that ended although nobody told it to. */
export class PartDied extends Error {
  override readonly name = 'PartDied';
}

export class Part {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #exited: Promise<string>;
  #stopping = false;

  constructor(options: PartOptions) {
    this.name = options.name;
    this.#child = spawn(options.command, options.args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc ? (['ipc'] as const) : [])],
    });
    this.#keep(this.#child.stdout);
    this.#keep(this.#child.stderr);
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(`could not be started: ${error.message}`));
      // 'close' comes after the last line was read; 'exit' may come before.
      this.#child.once('close', (code, signal) => resolve(`ended with ${signal ?? `exit code ${code}`}`));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Rejects with what happened and the last lines, if the part ends by itself. Never resolves before it has ended. */
  async untilDeath(): Promise<never> {
    const how = await this.#exited;
    // Told to stop: its end is no news. Whoever still waits here is not needed any more.
    if (this.#stopping) return new Promise<never>(() => undefined);
    throw new PartDied([`${this.name} ${how}. Its last lines:`, ...this.#lines.map((line) => `  ${line}`)].join('\n'));
  }

  /** The next message over the channel. */
  message(): Promise<unknown> {
    return new Promise((resolve) => this.#child.once('message', resolve));
  }

  send(message: Record<string, unknown>): void {
    if (this.#child.connected) this.#child.send(message);
  }

  /** SIGTERM, and SIGKILL when it has not ended after `graceMs`. Resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#child.kill('SIGTERM');
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.#exited;
    clearTimeout(kill);
  }

  #keep(stream: Readable | null): void {
    if (!stream) return;
    createInterface({ input: stream }).on('line', (line) => {
      this.#lines.push(line.slice(0, LONGEST_LINE));
      if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    });
  }
}
