/** `feishu-authd start` */
import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { withExample } from '../options.js';

export function addStartCommand(program: Command, context: CliContext): void {
  const command = program
    .command('start')
    .summary('run the daemon in the foreground')
    .description('run the daemon in the foreground, configured by environment variables and CONFIG_FILE')
    .action(async () => {
      // The daemon's libraries take half a second to load: the other commands do without.
      const { start } = await import('../start.js');
      await start(context);
    });
  withExample(command, 'CONFIG_FILE=/etc/feishu-authd.json feishu-authd start');
}
