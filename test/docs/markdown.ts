/**
 * Reads what tests compare in a Markdown document: headings, code blocks, tables, links. Knows as much of the language
 * as our own documents use. Pure.
 */

export interface MarkdownDocument {
  /** `#` marks of each heading, in order. */
  readonly levels: readonly string[];
  /** What a link within the document may name, as GitHub makes it, and the ids of `<a id>`. */
  readonly anchors: ReadonlySet<string>;
  readonly codeBlocks: readonly string[];
  /** How many items all lists have together. */
  readonly listItems: number;
  /** Each table as rows of cells, its head and its rule included. */
  readonly tables: readonly (readonly string[][])[];
  /** Targets of all links. */
  readonly links: readonly string[];
}

const CODE_BLOCK = /^( *)```[\s\S]*?^\1```$/gm;

export function readMarkdown(text: string): MarkdownDocument {
  const prose = text.replaceAll(CODE_BLOCK, '');
  const headings = [...prose.matchAll(/^(#+) (.+)$/gm)].map(([, level, title]) => ({
    level: level ?? '',
    title: title ?? '',
  }));
  const ids = [...prose.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id ?? '');
  return {
    levels: headings.map(({ level }) => level),
    anchors: new Set([...headings.map(({ title }) => anchorOf(title)), ...ids]),
    codeBlocks: text.match(CODE_BLOCK) ?? [],
    listItems: prose.match(/^ *(?:[-*]|\d+\.) /gm)?.length ?? 0,
    tables: [...prose.matchAll(/(?:^\|.*\n?)+/gm)].map(([table]) => table.trim().split('\n').map(cellsOf)),
    links: [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? ''),
  };
}

/** The words in code marks that are the same in every language: no spaces, no letters but ASCII. */
export const namesIn = (text: string): string[] =>
  [...text.matchAll(/`([!-~]+)`/g)].map(([, name]) => name ?? '').filter((name) => !name.includes('`'));

/** Codes of Feishu. */
export const feishuCodesIn = (text: string): string[] => text.match(/\b\d{5,}\b/g) ?? [];

const cellsOf = (row: string): string[] =>
  row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
