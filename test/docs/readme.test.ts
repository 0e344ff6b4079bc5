/** The README's tables say what the code says. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { CONFIG_VARIABLES } from '../../src/config/variables.js';
import { ERROR_TABLE } from '../../src/errors.js';
import { API_CODES } from '../../src/http/problem.js';

const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');

/** The cells of every table row, without their code marks. */
const rows = readme
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
const plain = (cell: string | undefined): string => (cell ?? '').replace(/^`|`$/g, '');
const rowOf = (name: string): string[] | undefined => rows.find(([first]) => first === `\`${name}\``);

describe('README.md', () => {
  it('starts with the two commands', () => {
    const screen = readme.split('\n').slice(0, 24).join('\n');
    assert.match(screen, /npm run demo {2,}#/);
    assert.match(screen, /npm run demo -- --auto/);
  });

  it('lists every variable with its default and meaning', () => {
    for (const { doc, default: value, name } of CONFIG_VARIABLES) {
      const row = rowOf(name);
      assert.ok(row, `${name} is missing`);
      assert.deepEqual([plain(row[1]), row[2]], [value ?? '', doc], name);
    }
  });

  it('lists every error code of the API with its status and next step', () => {
    for (const code of API_CODES) {
      const entry: { status: number; title: string; next?: string } = ERROR_TABLE[code];
      const row = rowOf(code);
      assert.ok(row, `${code} is missing`);
      assert.deepEqual([Number(row[1]), row[2], plain(row[3])], [entry.status, entry.title, entry.next ?? ''], code);
    }
  });

  it('names no command that package.json does not have', async () => {
    const { scripts } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    const named = [...readme.matchAll(/npm run ([\w-]+)/g)].map((match) => match[1] ?? '');
    assert.ok(named.length > 3);
    for (const name of named) assert.ok(name in scripts, `npm run ${name}`);
  });
});
