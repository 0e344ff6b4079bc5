/** What is around the command line, passed in by main.ts, so that nothing below it touches the process. */
import type { Environment } from '../config/sources.js';

export interface CliContext {
  readonly env: Environment;
  /** `isTTY` is true where a person types. */
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Data only. */
  readonly stdout: NodeJS.WritableStream;
  /** Progress, questions, errors. */
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly interrupts: Interrupts;
}

/** Ctrl-C and SIGTERM, for commands that have something to say before they end. */
export interface Interrupts {
  /** In place of the end of the process; returns how to take it back. */
  on(handler: () => void): () => void;
  /** Ends the process by the signal that was caught, so that whoever started it sees the true cause. */
  raise(): void;
}
