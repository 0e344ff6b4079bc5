/** README.zh-CN.md says all that README.md says: what can be compared without reading Chinese is compared. */
import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { feishuCodesIn, namesIn, readMarkdown } from './markdown.js';

const FILES = ['README.md', 'README.zh-CN.md', 'docs/decisions.md'] as const;
const urlOf = (path: string): URL => new URL(`../../${path}`, import.meta.url);
const textOf = (path: string): Promise<string> => readFile(urlOf(path), 'utf8');

const english = readMarkdown(await textOf('README.md'));
const chinese = readMarkdown(await textOf('README.zh-CN.md'));

/** Numbers and names, in the order in which a reader who compares would look for them. */
const factsOf = (row: readonly string[]): string[] =>
  [...namesIn(row.join(' | ')), ...feishuCodesIn(row.join(' | '))].sort();

describe('README.zh-CN.md', () => {
  it('has the sections of README.md in the same order, and as many points', () => {
    assert.ok(english.levels.length > 20);
    assert.deepEqual(chinese.levels, english.levels);
    assert.equal(chinese.listItems, english.listItems);
  });

  it('has the same commands, examples and configuration, letter by letter', () => {
    assert.ok(english.codeBlocks.length > 10);
    assert.deepEqual(chinese.codeBlocks, english.codeBlocks);
  });

  it('has the same tables, row by row, with every variable, code, alert, metric and command', () => {
    assert.equal(chinese.tables.length, english.tables.length);
    for (const [index, table] of english.tables.entries()) {
      const twin = chinese.tables[index] ?? [];
      assert.deepEqual(
        twin.map(({ length }) => length),
        table.map(({ length }) => length),
        table[0]?.join(' | '),
      );
      for (const [line, row] of table.entries()) assert.deepEqual(factsOf(twin[line] ?? []), factsOf(row), row[0]);
    }
  });

  it('has the same defaults of variables, status and next step of codes, labels of metrics', () => {
    const untranslated = (table: readonly string[][] | undefined, columns: readonly number[]) =>
      (table ?? []).slice(2).map((row) => columns.map((column) => row[column]));
    const columns: Record<string, number[]> = { variable: [0, 1], code: [0, 1, 3], metric: [0, 1] };
    let compared = 0;
    for (const [index, table] of english.tables.entries()) {
      const same = columns[table[0]?.[0] ?? ''];
      if (same === undefined) continue;
      assert.deepEqual(untranslated(chinese.tables[index], same), untranslated(table, same));
      compared += 1;
    }
    assert.equal(compared, 3);
  });

  it('stands beside README.md, each named on top of the other', async () => {
    assert.match((await textOf('README.md')).slice(0, 200), /\[中文\]\(README\.zh-CN\.md\)/);
    assert.match((await textOf('README.zh-CN.md')).slice(0, 200), /\[English\]\(README\.md\)/);
  });
});

describe('links in the documents', () => {
  for (const file of FILES) {
    it(`lead somewhere: ${file}`, async () => {
      const { anchors, links } = readMarkdown(await textOf(file));
      assert.ok(links.length > 0);
      for (const link of links.filter((target) => !target.startsWith('https://'))) {
        const [path = '', anchor] = link.split('#');
        if (path !== '') await assert.doesNotReject(access(new URL(path, urlOf(file))), link);
        else assert.ok(anchors.has(decodeURIComponent(anchor ?? '')), link);
      }
    });
  }
});
