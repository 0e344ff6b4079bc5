/**
 * Reads the files of `cards/` and checks that each has its shape: JSON, and for the texts every entry in both
 * languages. What a template may say and whether the cards pass Feishu's rules is judged by load-cards.ts.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FAILURE_REASONS } from '../../domain/session.js';
import { CARD_NAMES, LANGUAGES, MESSAGE_NAMES, TOAST_NAMES, TOAST_TYPES } from './card-set.js';
import * as check from './checks.js';
import { isObject, type Json, type JsonObject, type Problem } from './json.js';

export interface FileProblem extends Problem {
  readonly file: string;
}

export interface CardFiles {
  /** By file name; only files that are there and have their shape. */
  readonly files: ReadonlyMap<string, JsonObject>;
  readonly problems: readonly FileProblem[];
}

const MAX_MESSAGE_LINES = 40;

const localized = Object.fromEntries(LANGUAGES.map((language) => [language, check.filledString]));
const sameForAll = (names: readonly string[], entry: check.Check): check.Attributes =>
  Object.fromEntries(names.map((name) => [name, entry]));
const failureText = check.object({ happened: check.object(localized), next: check.object(localized) });

/** Files that hold texts, with their shapes. */
const TEXT_FILES: Readonly<Record<string, check.Check>> = {
  'scopes.json': check.record(/^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/, check.object(localized)),
  'toasts.json': check.object(
    sameForAll(TOAST_NAMES, check.object({ type: check.oneOf(...TOAST_TYPES), ...localized })),
  ),
  'failures.json': check.object({
    reasons: check.object(sameForAll(FAILURE_REASONS, failureText)),
    codes: check.record(/^\d{1,10}$/, failureText),
    contacts: check.object(sameForAll(['user', 'operator', 'developer'], check.object(localized))),
  }),
  'messages.json': check.object(
    sameForAll(
      MESSAGE_NAMES,
      check.object({
        title: check.object(localized),
        lines: check.list(
          check.object(localized, { $if: check.filledString, open: check.filledString }),
          1,
          MAX_MESSAGE_LINES,
        ),
      }),
    ),
  ),
  'notice.json': check.object({ text: check.filledString }),
};

const anyObject: check.Check = (value, path) => (isObject(value) ? [] : [{ path, rule: 'must be an object' }]);

export const templateFile = (name: string): string => `${name}.json`;

export async function readCardFiles(dir: string): Promise<CardFiles> {
  const shapes = new Map<string, check.Check>([
    ...CARD_NAMES.map((name) => [templateFile(name), anyObject] as const),
    ...Object.entries(TEXT_FILES),
  ]);
  const files = new Map<string, JsonObject>();
  const problems = await strangers(dir, shapes);
  for (const [file, shape] of shapes) {
    const read = await readJson(join(dir, file));
    const found = read.ok ? shape(read.value, '') : [{ path: '', rule: read.rule }];
    problems.push(...found.map((problem) => ({ file, ...problem })));
    if (read.ok && found.length === 0 && isObject(read.value)) files.set(file, read.value);
  }
  return { files, problems };
}

/** A card under a mistyped name would otherwise be ignored without a word. */
async function strangers(dir: string, shapes: ReadonlyMap<string, check.Check>): Promise<FileProblem[]> {
  const names = await readdir(dir).catch(() => []);
  return names
    .filter((name) => name.endsWith('.json') && !shapes.has(name))
    .map((file) => ({ file, path: '', rule: 'is no name of a card or a text file' }));
}

async function readJson(path: string): Promise<{ ok: true; value: Json } | { ok: false; rule: string }> {
  try {
    const value: Json = JSON.parse(await readFile(path, 'utf8'));
    return { ok: true, value };
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, rule: `is not JSON: ${error.message}` };
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return { ok: false, rule: `cannot be read (${code})` };
  }
}
