/** Why a subcommand ends without having done its work: what happened, what to do, and the exit code. */
import type { EXIT } from './exit-codes.js';

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: ExitCode;
  /** Sentences under the first line, each on its own. */
  readonly advice: readonly string[];

  /** @param message one plain sentence without a period; holds nothing secret */
  constructor(exitCode: ExitCode, message: string, advice: readonly string[] = []) {
    super(message);
    this.exitCode = exitCode;
    this.advice = advice;
  }

  /** As it is written to standard error. */
  toText(): string {
    return [`feishu-authd: ${this.message}`, ...this.advice.map((line) => `  ${line}`), ''].join('\n');
  }
}
