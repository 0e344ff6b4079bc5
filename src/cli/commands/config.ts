/** `feishu-authd config print`: the configuration `start` would take, secrets masked. Opens nothing but its files. */
import type { Command } from 'commander';
import { type ConfigView, describeConfig } from '../../config/effective.js';
import { loadConfig } from '../../config/load.js';
import type { CliContext } from '../context.js';
import { withExample, withJson } from '../options.js';
import { createOutput } from '../output.js';
import { cell, table } from '../table.js';

export function addConfigCommands(program: Command, context: CliContext): void {
  const config = withExample(
    program.command('config').description('look at the configuration'),
    'feishu-authd config print',
  );
  const command = config
    .command('print')
    .summary('print the effective settings, masked')
    .description('print the effective configuration and where each value came from, secrets masked')
    .action((options: { readonly json?: boolean }) => {
      const output = createOutput(context);
      const loaded = loadConfig({ env: context.env });
      const view = describeConfig(loaded);
      for (const warning of loaded.warnings) output.note(`feishu-authd: ${warning}`);
      output.data(options.json, view, () => toText(view));
    });
  withExample(
    withJson(command, 'JSON instead of tables'),
    'CONFIG_FILE=/etc/feishu-authd.json feishu-authd config print',
  );
}

function toText({ apps, clients, settings }: ConfigView): string {
  const parts = [
    table(
      ['SETTING', 'VALUE', 'FROM'],
      settings.map(({ from, name, source, value }) => [name, cell(value), origin(name, source, from)]),
    ),
    table(
      ['APP', 'BRAND', 'API', 'ACCOUNTS', 'APPLINK', 'GRANT', 'SCOPES'],
      apps.map((app) => [
        app.app_id,
        app.brand,
        app.api_base_url,
        app.accounts_base_url,
        app.applink_base_url,
        app.auth_grant,
        cell(app.auth_scopes),
      ]),
    ),
    table(
      ['CLIENT', 'SECRETS', 'ACTIONS', 'APPS', 'SCOPES'],
      clients.map((client) => [
        client.id,
        cell(client.secrets),
        cell(client.actions),
        client.apps === null ? 'all' : cell(client.apps),
        client.scopes === null ? 'all' : cell(client.scopes),
      ]),
    ),
  ];
  return parts.join('\n');
}

/** `environment` or `file`, with the name it was set by where that says more. */
function origin(name: string, source: string, from: string): string {
  const usual = [name, `${name.toLowerCase()} in CONFIG_FILE`];
  return source === 'default' || usual.includes(from) ? source : `${source} (${from})`;
}
