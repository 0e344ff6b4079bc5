/** `feishu-authd doctor`: what is set up, what is not, and what to do about it; with a real user if one is named. */
import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import type { DoctorOptions } from '../doctor.js';
import { oneOf, wholeNumber, withExample, withJson } from '../options.js';

const WAIT_SECONDS = 120;

export function addDoctorCommand(program: Command, context: CliContext): void {
  const command = program
    .command('doctor')
    .summary('check the whole set-up, say what to do')
    .description(
      'check configuration, Redis, keys, network, the app at Feishu and the daemon;\n' +
        'with --user also what only a real click shows. No refresh token is spent.',
    )
    .option('--app-id <id>', 'check this app only; with --user: the app that asks her')
    .option('--user <open_id>', 'ask this user by a real card and follow her click (AUTHD_URL, AUTHD_API_KEY)')
    .option('--wait <seconds>', 'with --user: time for card, click and consent', wholeNumber(1, 3600), WAIT_SECONDS)
    .option('--bundle <file>', 'write an archive for support (tar.gz, secrets taken out)')
    .option('--log <file>', "with --bundle: the last lines of the daemon's log go in")
    .option('--lang <language>', 'zh or en (default: by LC_ALL, LC_MESSAGES or LANG)', oneOf(['zh', 'en'] as const))
    .action(async (options: DoctorOptions) => {
      // The checks load half of what the daemon loads: help and usage errors do without.
      const { doctor } = await import('../doctor.js');
      await doctor(options, context);
    });
  withExample(
    withJson(command, 'JSON instead of lines'),
    'feishu-authd doctor',
    'feishu-authd doctor --user ou_7d8a6e6df7621556ce0d21922b676706',
    'feishu-authd doctor --bundle support.tar.gz --log /var/log/feishu-authd.log',
  );
}
