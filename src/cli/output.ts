/** Where a command writes: data to standard output, everything else to standard error. */
import type { CliContext } from './context.js';

export interface Output {
  /** Data for people: whole lines. */
  text(lines: string): void;
  /** Data for machines. */
  json(value: unknown): void;
  /** One of both, as `--json` says. */
  data(asJson: boolean | undefined, value: unknown, lines: () => string): void;
  /** A line beside the data. */
  note(line: string): void;
}

/** What JSON leaves as it is and a terminal may take for a command (DEL and the C1 controls). */
const TERMINAL_CONTROLS = /[\u007f-\u009f]/g;

/** @param scrub what every text goes through before it is written */
export function createOutput(
  { stdout, stderr }: Pick<CliContext, 'stdout' | 'stderr'>,
  scrub: (text: string) => string = (text) => text,
): Output {
  const output: Output = {
    text: (lines) => {
      stdout.write(scrub(lines));
    },
    json: (value) => output.text(`${toJson(value)}\n`),
    data: (asJson, value, lines) => (asJson === true ? output.json(value) : output.text(lines())),
    note: (line) => {
      stderr.write(`${scrub(line)}\n`);
    },
  };
  return output;
}

function toJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  return text.replace(TERMINAL_CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
