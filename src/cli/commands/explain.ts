/** `feishu-authd explain CODE`: what a code means and what to do about it, offline. */
import type { Command } from 'commander';
import { UNKNOWN_CODE } from '../../domain/feishu-codes.js';
import { CommandFailure } from '../command-failure.js';
import type { CliContext } from '../context.js';
import { EXIT } from '../exit-codes.js';
import type { Language, Meaning } from '../explain/meaning.js';
import { WORDS } from '../explain/words.js';
import { explain, languageOf } from '../explain.js';
import { oneOf, withExample, withJson } from '../options.js';
import { createOutput } from '../output.js';
import { record } from '../table.js';

interface Options {
  readonly lang?: Language;
  readonly json?: boolean;
}

export function addExplainCommand(program: Command, context: CliContext): void {
  const command = program
    .command('explain')
    .summary('say what a code means and what to do')
    .description(
      'say what a code of Feishu or of feishu-authd, or an event of the log means and what to do about it (offline)',
    )
    .argument('<code>', "Feishu's number, an error name, a code of our API, or the event of a log line")
    .option('--lang <language>', 'zh or en (default: by LC_ALL, LC_MESSAGES or LANG)', oneOf(['zh', 'en'] as const))
    .action((code: string, options: Options) => {
      const language = options.lang ?? languageOf(context.env);
      const meanings = explain(code, language);
      if (meanings.length === 0) throw unknown(code);
      createOutput(context).data(options.json, { code, meanings }, () => toText(code, meanings, language));
    });
  withExample(
    withJson(command, 'JSON instead of text'),
    'feishu-authd explain 230013',
    'feishu-authd explain reauthorization_required --lang zh',
  );
}

function toText(code: string, meanings: readonly Meaning[], language: Language): string {
  const { headings, people } = WORDS[language];
  const blocks = meanings.map((meaning) =>
    record([
      [headings.where, meaning.where],
      [headings.cause, meaning.cause],
      [headings.remedy, meaning.remedy],
      [headings.for, people[meaning.for]],
    ]),
  );
  return `${code}\n${blocks.join('\n')}`;
}

const unknown = (code: string): CommandFailure =>
  new CommandFailure(EXIT.usage, `${JSON.stringify(code.slice(0, 64))} is not a code that feishu-authd knows`, [
    UNKNOWN_CODE.remedy,
  ]);
