/** Runs one command line and says what became of it: exit code, and every fault in plain words on standard error. */
import { CommanderError } from 'commander';
import { describeConfigProblems } from '../config/problems.js';
import { AuthdError } from '../errors.js';
import { CommandFailure, type ExitCode } from './command-failure.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { createProgram } from './program.js';

/** @param argv as in `process.argv` */
export async function run(argv: readonly string[], context: CliContext): Promise<ExitCode> {
  context.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read has seen enough (`feishu-authd sessions list | head`).
    if (error.code !== 'EPIPE') throw error;
  });
  try {
    await createProgram(context).parseAsync(argv);
    return EXIT.done;
  } catch (error) {
    return explainFault(error, context);
  }
}

function explainFault(error: unknown, { env, stderr }: CliContext): ExitCode {
  // commander has written its own words.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof CommandFailure) {
    stderr.write(error.toText());
    return error.exitCode;
  }
  if (error instanceof AuthdError && error.code === 'config_invalid') {
    stderr.write(`feishu-authd: ${describeConfigProblems(error)}\n`);
    return EXIT.usage;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const apiKey = env['AUTHD_API_KEY']?.trim() || null;
  const safe = apiKey === null ? stack : stack.replaceAll(apiKey, '***');
  stderr.write(`feishu-authd: this is a fault of ours, please report it\n  ${safe.replaceAll('\n', '\n  ')}\n`);
  return EXIT.internal;
}
