/** `feishu-authd send`: asks a user by a card and waits until the session has ended. */
import type { Command } from 'commander';
import { type JsonObject, objectOf } from '../../domain/json-fields.js';
import type { ApiClient } from '../api-client.js';
import { withApi } from '../api-session.js';
import { CommandFailure } from '../command-failure.js';
import type { CliContext } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { followSession } from '../follow-session.js';
import { wholeNumber, withApp, withExample, withJson, wordList } from '../options.js';
import type { Output } from '../output.js';
import { failureOfEnd } from '../session-end.js';
import { sessionRecord } from '../session-view.js';
import { userRecord } from '../user-view.js';

interface SendOptions {
  readonly openId: string;
  readonly appId?: string;
  readonly scopes?: readonly string[];
  readonly reason?: string;
  readonly chatId?: string;
  readonly ttl?: number;
  readonly force?: boolean;
  readonly wait: boolean;
  readonly json?: boolean;
}

export function addSendCommand(program: Command, context: CliContext): void {
  const command = program
    .command('send')
    .summary('ask a user by a card, wait for the outcome')
    .description('send a user an authorization card and wait for the outcome')
    .requiredOption('--open-id <id>', 'the user, as the app knows her')
    .option('--scopes <list>', "scopes, separated by commas or spaces (default: the app's)", wordList)
    .option('--reason <text>', 'shown to her, as written by you: at most 200 characters and 3 lines')
    .option('--chat-id <id>', 'a group that gets a short notice naming her')
    .option('--ttl <seconds>', 'life of the session, 10 to 604800', wholeNumber(10, 604_800))
    .option('--force', 'ask although she has authorized already')
    .option('--no-wait', 'end as soon as the session exists')
    .action((options: SendOptions) => withApi(context, (api, output) => send(options, { api, output, context })));
  withExample(
    withJson(withApp(command)),
    'feishu-authd send --open-id ou_7d8a6e6df7621556ce0d21922b676706 \\',
    '  --scopes docx:document:readonly --reason "Weekly report"',
  );
}

interface Sending {
  readonly api: ApiClient;
  readonly output: Output;
  readonly context: CliContext;
}

async function send(options: SendOptions, sending: Sending): Promise<void> {
  const { api, output } = sending;
  const answer = objectOf(await api.call({ method: 'POST', path: '/v1/sessions', body: bodyOf(options) }));
  if (answer['already_authorized'] === true) {
    output.note('She has authorized this already; --force asks her nevertheless');
    output.data(options.json, answer, () => userRecord(answer['user']));
    return;
  }
  if (!options.wait) {
    output.data(options.json, answer, () => sessionRecord(answer));
    return;
  }
  const ended = await wait(answer, sending);
  output.data(options.json, ended, () => sessionRecord(ended));
  const failure = failureOfEnd(ended);
  if (failure !== null) throw failure;
  output.note('She has authorized');
}

/** Members that are undefined are not sent. */
const bodyOf = ({ appId, chatId, force, openId, reason, scopes, ttl }: SendOptions) => ({
  open_id: openId,
  app_id: appId,
  scopes,
  reason,
  chat_id: chatId,
  ttl_seconds: ttl,
  force,
});

/** Ctrl-C ends the waiting, not the session. */
async function wait(session: JsonObject, { api, context, output }: Sending): Promise<JsonObject> {
  const waiting = new AbortController();
  let sessionId = '';
  const lookAgain = (): string => `The session goes on without this command: feishu-authd sessions show ${sessionId}`;
  const letGo = context.interrupts.on(() => waiting.abort());
  try {
    return await followSession(session, {
      api,
      now: context.now,
      note: output.note,
      onSession(id) {
        sessionId = id;
        output.note(`Session ${id}`);
      },
      signal: waiting.signal,
    });
  } catch (error) {
    if (waiting.signal.aborted) {
      output.note(lookAgain());
      letGo();
      context.interrupts.raise();
      throw new CommandFailure(EXIT.refused, 'Stopped waiting');
    }
    if (!(error instanceof CommandFailure)) throw error;
    throw new CommandFailure(error.exitCode, error.message, [...error.advice, lookAgain()]);
  } finally {
    letGo();
  }
}
