/** The command line: which subcommands there are, help, usage errors. What a subcommand does is its own module's business. */
import { Command, Help } from 'commander';
import { addConfigCommands } from './commands/config.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addExplainCommand } from './commands/explain.js';
import { addHealthCommand } from './commands/health.js';
import { addKeysCommands } from './commands/keys.js';
import { addSendCommand } from './commands/send.js';
import { addSessionsCommands } from './commands/sessions.js';
import { addStartCommand } from './commands/start.js';
import { addTokensCommands } from './commands/tokens.js';
import { addUsersCommands } from './commands/users.js';
import type { CliContext } from './context.js';
import { readVersion } from './version.js';

const FOOTER = `
Commands other than start, health, doctor, config print, explain and keys
generate speak to a running daemon: AUTHD_URL (default http://127.0.0.1:9780),
AUTHD_API_KEY or AUTHD_API_KEY_FILE, AUTHD_TIMEOUT (seconds a call may take,
default 20).
Data goes to standard output, everything else to standard error.
Exit codes: 0 done, 1 refused by Feishu or the API, 2 wrong usage or
configuration, 3 not authorized, 4 network, 5 internal.`;

/** Settings made here before the first subcommand hold for all of them. */
export function createProgram(context: CliContext): Command {
  const program = new Command('feishu-authd')
    .description('Gets, keeps and hands out Feishu user access tokens for the services of a company.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .showHelpAfterError('(feishu-authd --help lists the subcommands)')
    .exitOverride()
    .configureHelp({ formatHelp: helpOf })
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    })
    .addHelpText('after', FOOTER);
  addStartCommand(program, context);
  addHealthCommand(program, context);
  addDoctorCommand(program, context);
  addSendCommand(program, context);
  addSessionsCommands(program, context);
  addUsersCommands(program, context);
  addTokensCommands(program, context);
  addKeysCommands(program, context);
  addConfigCommands(program, context);
  addExplainCommand(program, context);
  return program;
}

/** Help lists what can be run, not the groups. Set here only: commander's "Did you mean" goes by the real tree. */
function helpOf(command: Command, { helpWidth }: Help): string {
  const listing = Object.assign(new Help(), { visibleCommands: leavesOf, subcommandTerm: termOf });
  if (helpWidth !== undefined) listing.helpWidth = helpWidth;
  return listing.formatHelp(command, listing);
}

const leavesOf = (command: Command): Command[] =>
  command.commands.flatMap((child) => (child.commands.length === 0 ? [child] : leavesOf(child)));

/** `sessions show <session_id>` */
function termOf(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent; at = at.parent) names.unshift(at.name());
  return [...names, ...command.registeredArguments.map((argument) => `<${argument.name()}>`)].join(' ');
}
