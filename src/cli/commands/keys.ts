/** `feishu-authd keys generate|status`: the keyring that seals what Redis holds. */
import { randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { KEY_ID } from '../../config/secrets.js';
import { objectOf } from '../../domain/json-fields.js';
import { withApi } from '../api-session.js';
import type { CliContext } from '../context.js';
import { keysText, missingKeys } from '../keys-view.js';
import { withExample, withJson } from '../options.js';
import { createOutput } from '../output.js';

const KEY_BYTES = 32;

export function addKeysCommands(program: Command, context: CliContext): void {
  const keys = withExample(
    program.command('keys').description('make encryption keys and see which are in use'),
    'feishu-authd keys status',
  );
  addGenerate(keys, context);
  addStatus(keys, context);
}

function addGenerate(keys: Command, context: CliContext): void {
  const command = keys
    .command('generate')
    .summary('print a new encryption key (offline)')
    .description('print a new entry for TOKEN_ENCRYPTION_KEYS (offline)')
    .option('--id <id>', 'its id (default: k and the date)', keyId)
    .action((options: { readonly id?: string; readonly json?: boolean }) => {
      const output = createOutput(context);
      const id = options.id ?? datedId(context.now());
      const entry = `${id}:${randomBytes(KEY_BYTES).toString('base64')}`;
      output.data(options.json, { id, entry }, () => `${entry}\n`);
      output.note(
        'Put it in front of the others in TOKEN_ENCRYPTION_KEYS (the first seals, all open) and keep it safe: ' +
          'without it the tokens it seals are lost.',
      );
    });
  withExample(
    withJson(command, 'JSON instead of the entry alone'),
    'feishu-authd keys generate > /etc/feishu-authd/new-key',
  );
}

function addStatus(keys: Command, context: CliContext): void {
  const command = keys
    .command('status')
    .summary('show which keys are in use or can go')
    .description('show which keys are in use, which can go, and how far re-sealing is')
    .action((options: { readonly json?: boolean }) =>
      withApi(context, async (api, output) => {
        const status = objectOf(await api.call({ method: 'GET', path: '/v1/keys' }));
        output.data(options.json, status, () => keysText(status));
        for (const id of missingKeys(status)) {
          output.note(`Key ${id} is in use and not configured: put it back into TOKEN_ENCRYPTION_KEYS.`);
        }
      }),
    );
  withExample(withJson(command), 'feishu-authd keys status');
}

function keyId(text: string): string {
  if (KEY_ID.test(text)) return text;
  throw new InvalidArgumentError('It is not 1 to 32 characters of A-Z a-z 0-9 _ -');
}

/** `k20261122-3f9a`: ids of one keyring must differ, also when two keys are made on one day. */
function datedId(nowMs: number): string {
  const date = new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '');
  return `k${date}-${randomBytes(2).toString('hex')}`;
}
