/** Options and arguments that several subcommands share, and how their texts are read: strictly, as the daemon does. */
import { type Command, InvalidArgumentError } from 'commander';

/** A whole number from `least` to `most`. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It is not a whole number from ${least} to ${most}.`);
  };

/** Words separated by commas or spaces; at least one. */
export function wordList(text: string): string[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  if (words.length === 0) throw new InvalidArgumentError('It names nothing.');
  return words;
}

export function oneOf<T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) throw new InvalidArgumentError(`It is none of ${words.join(', ')}.`);
    return word;
  };
}

export const withJson = (command: Command, doc = "the API's JSON instead of a table"): Command =>
  command.option('--json', doc);

export const withApp = (command: Command): Command =>
  command.option('--app-id <id>', 'the app, where the client may use several');

/** An example under the options of `--help`. */
export const withExample = (command: Command, ...lines: readonly string[]): Command =>
  command.addHelpText(
    'after',
    ['', lines.length === 1 ? 'Example:' : 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n'),
  );
