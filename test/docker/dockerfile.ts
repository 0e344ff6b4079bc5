/**
 * Reads a Dockerfile: the instructions this project uses, in order, by stage. Owns the grammar (continued lines,
 * comments, exec form, flags); anything it does not know is an error, so that no step stays unproved.
 * Source: the Dockerfile reference, docs.docker.com/reference/dockerfile.
 */

const KNOWN = [
  ...['ARG', 'FROM', 'LABEL', 'ENV', 'WORKDIR', 'COPY', 'RUN', 'USER', 'VOLUME'],
  ...['EXPOSE', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD'],
] as const;

export type Keyword = (typeof KNOWN)[number];

export interface Instruction {
  readonly keyword: Keyword;
  /** `--from=build` as `{from: 'build'}`. */
  readonly flags: Readonly<Record<string, string>>;
  /** What follows keyword and flags, continued lines joined by a space. */
  readonly text: string;
}

export interface Stage {
  /** `AS name`; empty for the last one. */
  readonly name: string;
  readonly image: string;
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  /** ARG before the first FROM. */
  readonly args: readonly Instruction[];
  readonly stages: readonly Stage[];
}

export function parseDockerfile(text: string): Dockerfile {
  const args: Instruction[] = [];
  const stages: { name: string; image: string; instructions: Instruction[] }[] = [];
  for (const instruction of logicalLines(text).map(parseInstruction)) {
    if (instruction.keyword === 'FROM') {
      const [image = '', as, name = ''] = instruction.text.split(/\s+/);
      if (as !== undefined && as.toUpperCase() !== 'AS') throw new Error(`FROM ${instruction.text}`);
      stages.push({ name, image, instructions: [] });
    } else if (stages.length === 0) {
      if (instruction.keyword !== 'ARG') throw new Error(`${instruction.keyword} before FROM`);
      args.push(instruction);
    } else {
      stages.at(-1)?.instructions.push(instruction);
    }
  }
  return { args, stages };
}

function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let open = '';
  for (const line of text.split('\n')) {
    if (/^\s*(#|$)/.test(line)) continue;
    open += open === '' ? line.trim() : ` ${line.trim()}`;
    if (open.endsWith('\\')) {
      open = open.slice(0, -1).trimEnd();
      continue;
    }
    lines.push(open);
    open = '';
  }
  if (open !== '') throw new Error('the last line goes on');
  return lines;
}

function parseInstruction(line: string): Instruction {
  const [, word = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
  const keyword = KNOWN.find((known) => known === word);
  if (keyword === undefined) throw new Error(`an instruction this reader does not know: ${line}`);
  const flags: Record<string, string> = {};
  let text = rest;
  for (let match = FLAG.exec(text); match !== null; match = FLAG.exec(text)) {
    flags[match[1] ?? ''] = match[2] ?? '';
    text = text.slice(match[0].length);
  }
  return { keyword, flags, text };
}

const FLAG = /^--([a-z-]+)=(\S+)\s+/;

/** The words of an exec form (`["node", "x"]`); null for a shell form. */
export function execForm(text: string): string[] | null {
  if (!text.startsWith('[')) return null;
  const words: unknown = JSON.parse(text);
  if (!Array.isArray(words) || words.some((word) => typeof word !== 'string')) throw new Error(`no exec form: ${text}`);
  return words as string[];
}

/** `A=1 B="two words"` of ENV, LABEL and ARG. */
export function assignments(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name = '', quoted, bare] of text.matchAll(/([\w.-]+)(?:=(?:"([^"]*)"|(\S*)))?/g)) {
    found[name] = quoted ?? bare ?? '';
  }
  return found;
}

/** `${NAME}` and `$NAME`; an unknown one is empty, as docker has it. */
export const substitute = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\$\{?(\w+)\}?/g, (_, name: string) => values[name] ?? '');
