/** `feishu-authd users show|revoke` */
import type { Command } from 'commander';
import { pathTo } from '../api-path.js';
import { withApi } from '../api-session.js';
import { CommandFailure } from '../command-failure.js';
import { confirmed } from '../confirm.js';
import type { CliContext } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { withApp, withExample, withJson } from '../options.js';
import { userRecord } from '../user-view.js';

interface ShowOptions {
  readonly appId?: string;
  readonly json?: boolean;
}

interface RevokeOptions {
  readonly appId?: string;
  readonly atFeishu?: boolean;
  readonly yes?: boolean;
}

export function addUsersCommands(program: Command, context: CliContext): void {
  const users = withExample(
    program.command('users').description('look at what users have authorized, and forget it'),
    'feishu-authd users show ou_7d8a6e6df7621556ce0d21922b676706',
  );
  addShow(users, context);
  addRevoke(users, context);
}

function addShow(users: Command, context: CliContext): void {
  const command = users
    .command('show')
    .description('show what a user has authorized')
    .argument('<open_id>')
    .action((openId: string, options: ShowOptions) =>
      withApi(context, async (api, output) => {
        const query = { app_id: options.appId };
        const user = await api.call({ method: 'GET', path: pathTo('/v1/users/', openId), query });
        output.data(options.json, user, () => userRecord(user));
      }),
    );
  withExample(withJson(withApp(command)), 'feishu-authd users show ou_7d8a6e6df7621556ce0d21922b676706');
}

function addRevoke(users: Command, context: CliContext): void {
  const command = users
    .command('revoke')
    .summary('forget the tokens of a user')
    .description('forget the tokens of a user; asks first at a terminal')
    .argument('<open_id>')
    .option('--at-feishu', 'tell Feishu too, best effort')
    .option('-y, --yes', 'do not ask')
    .action((openId: string, options: RevokeOptions) =>
      withApi(context, async (api, output) => {
        const question = `Forget the tokens of ${openId}? Services that use them will have to ask her again.`;
        if (options.yes !== true && !(await confirmed(question, context))) {
          throw new CommandFailure(EXIT.refused, 'Nothing was done: the question was not answered with yes');
        }
        await api.call({
          method: 'DELETE',
          path: pathTo('/v1/users/', openId, '/token'),
          query: { app_id: options.appId, revoke_at_feishu: options.atFeishu },
        });
        output.note('Done: no token of this user is kept. Access tokens already handed out may live up to 2 hours.');
      }),
    );
  withExample(withApp(command), 'feishu-authd users revoke ou_7d8a6e6df7621556ce0d21922b676706 --at-feishu');
}
