/** `feishu-authd health`: whether the daemon of this configuration turns, for container and process managers. */
import type { Command } from 'commander';
import { CommandFailure } from '../command-failure.js';
import type { CliContext } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { health } from '../health.js';
import { wholeNumber, withExample } from '../options.js';
import { createOutput } from '../output.js';

interface Options {
  readonly ready: boolean;
  readonly wait: number;
}

const MAX_WAIT_SECONDS = 3_600;

export function addHealthCommand(program: Command, context: CliContext): void {
  const command = program
    .command('health')
    .summary('ask the daemon of this machine how it is')
    .description(
      'ask the daemon of this configuration (environment and CONFIG_FILE) on this machine whether it turns; prints its answer',
    )
    .option('--ready', 'ask whether it does its work (/readyz)', false)
    .option('--wait <seconds>', 'repeat for so long until it says yes', wholeNumber(0, MAX_WAIT_SECONDS), 0)
    .action(async ({ ready, wait }: Options) => {
      const { body, exitCode, problem } = await health(context.env, { ready, waitSeconds: wait });
      if (body !== '') createOutput(context).text(`${body}\n`);
      if (exitCode !== EXIT.done) throw new CommandFailure(exitCode, problem);
    });
  withExample(command, 'feishu-authd health', 'feishu-authd health --ready --wait 60');
}
