/** The command line: subcommands, help, usage errors. What a subcommand does is its own module's business. */
import { Command } from 'commander';
import { EXIT } from './exit-codes.js';
import { start } from './start.js';
import { readVersion } from './version.js';

export interface ProgramDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderr: NodeJS.WritableStream;
}

export function createProgram(deps: ProgramDeps): Command {
  const program = new Command('feishu-authd')
    .description('Gets, keeps and hands out Feishu user access tokens for the services of a company.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .showHelpAfterError('(feishu-authd --help lists the subcommands)')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.done : EXIT.usage));
  program
    .command('start')
    .description('run the daemon in the foreground, configured by environment variables and CONFIG_FILE')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.done : EXIT.usage))
    .action(async () => {
      await start(deps);
    });
  return program;
}
