/** `feishu-authd sessions list|show|invalidate|cleanup` */
import type { Command } from 'commander';
import { objectOf, textOf } from '../../domain/json-fields.js';
import { SESSION_STATES } from '../../domain/session.js';
import { pathTo } from '../api-path.js';
import { withApi } from '../api-session.js';
import type { CliContext } from '../context.js';
import { oneOf, wholeNumber, withApp, withExample, withJson } from '../options.js';
import { sessionRecord, sessionTable } from '../session-view.js';
import { cell, record } from '../table.js';

interface ListOptions {
  readonly openId?: string;
  readonly appId?: string;
  readonly state?: string;
  readonly limit?: number;
  readonly cursor?: string;
  readonly json?: boolean;
}

interface JsonOption {
  readonly json?: boolean;
}

const EXAMPLE_ID = 'as_0123456789abcdef_0199b3c2f4a1c0ffee5eed5eed5eed5e';

export function addSessionsCommands(program: Command, context: CliContext): void {
  const sessions = withExample(
    program.command('sessions').description('look at sessions and end them'),
    'feishu-authd sessions list',
  );
  addList(sessions, context);
  addShow(sessions, context);
  addInvalidate(sessions, context);
  addCleanup(sessions, context);
}

function addList(sessions: Command, context: CliContext): void {
  const command = sessions
    .command('list')
    .description('list sessions, newest first')
    .option('--open-id <id>', 'of this user only')
    .option('--state <state>', `in this state only: ${SESSION_STATES.join(', ')}`, oneOf(SESSION_STATES))
    .option('--limit <count>', 'sessions on the page, 1 to 100 (default: 20)', wholeNumber(1, 100))
    .option('--cursor <cursor>', 'the next page, as the page before names it')
    .action((options: ListOptions) =>
      withApi(context, async (api, output) => {
        const { openId, appId, state, limit, cursor } = options;
        const query = { open_id: openId, app_id: appId, state, limit, cursor };
        const page = objectOf(await api.call({ method: 'GET', path: '/v1/sessions', query }));
        const list = Array.isArray(page['sessions']) ? page['sessions'].map(objectOf) : [];
        output.data(options.json, page, () => sessionTable(list));
        const next = textOf(page['next_cursor']);
        if (next !== null) output.note(`There are more: --cursor ${cell(next)}`);
      }),
    );
  withExample(withJson(withApp(command)), 'feishu-authd sessions list --state authorizing --limit 50');
}

function addShow(sessions: Command, context: CliContext): void {
  const command = sessions
    .command('show')
    .description('show one session')
    .argument('<session_id>')
    .action((sessionId: string, options: JsonOption) =>
      withApi(context, async (api, output) => {
        const session = await api.call({ method: 'GET', path: pathTo('/v1/sessions/', sessionId) });
        output.data(options.json, session, () => sessionRecord(objectOf(session)));
      }),
    );
  withExample(withJson(command), `feishu-authd sessions show ${EXAMPLE_ID}`);
}

function addInvalidate(sessions: Command, context: CliContext): void {
  const command = sessions
    .command('invalidate')
    .description('end a session; tokens are not touched')
    .argument('<session_id>')
    .action((sessionId: string, options: JsonOption) =>
      withApi(context, async (api, output) => {
        const session = await api.call({ method: 'POST', path: pathTo('/v1/sessions/', sessionId, '/invalidate') });
        output.data(options.json, session, () => sessionRecord(objectOf(session)));
      }),
    );
  withExample(withJson(command), `feishu-authd sessions invalidate ${EXAMPLE_ID}`);
}

function addCleanup(sessions: Command, context: CliContext): void {
  const command = sessions
    .command('cleanup')
    .description('delete sessions that ended long ago')
    .requiredOption('--expiry-days <days>', 'days since they ended; 0: all that have ended', wholeNumber(0, 36_500))
    .action((options: JsonOption & { readonly expiryDays: number }) =>
      withApi(context, async (api, output) => {
        const body = { expiry_days: options.expiryDays };
        const answer = await api.call({ method: 'POST', path: '/v1/sessions/cleanup', body });
        output.data(options.json, answer, () => record([['deleted', cell(objectOf(answer)['deleted'])]]));
      }),
    );
  withExample(withJson(command), 'feishu-authd sessions cleanup --expiry-days 30');
}
