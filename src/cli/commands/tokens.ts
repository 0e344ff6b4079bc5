/** `feishu-authd tokens refresh`. The token itself is never printed: services read it from the API. */
import type { Command } from 'commander';
import { pathTo } from '../api-path.js';
import { withApi } from '../api-session.js';
import type { CliContext } from '../context.js';
import { withApp, withExample, withJson } from '../options.js';
import { userRecord, withoutTokens } from '../user-view.js';

interface RefreshOptions {
  readonly appId?: string;
  readonly ifExpiresAt?: string;
  readonly json?: boolean;
}

export function addTokensCommands(program: Command, context: CliContext): void {
  const tokens = withExample(
    program.command('tokens').description('refresh tokens'),
    'feishu-authd tokens refresh ou_7d8a6e6df7621556ce0d21922b676706',
  );
  const command = tokens
    .command('refresh')
    .summary('refresh a token now, without printing it')
    .description("refresh a user's token now; prints its expiry and scopes, not the token")
    .argument('<open_id>')
    .option('--if-expires-at <time>', 'only if the token still ends at this time (ISO 8601)')
    .action((openId: string, options: RefreshOptions) =>
      withApi(context, async (api, output) => {
        const answer = await api.call({
          method: 'POST',
          path: pathTo('/v1/users/', openId, '/token/refresh'),
          query: { app_id: options.appId },
          body: options.ifExpiresAt === undefined ? {} : { if_expires_at: options.ifExpiresAt },
        });
        output.data(options.json, withoutTokens(answer), () => userRecord(answer));
      }),
    );
  withExample(
    withJson(withApp(command), "the API's JSON without the token"),
    'feishu-authd tokens refresh ou_7d8a6e6df7621556ce0d21922b676706',
  );
}
