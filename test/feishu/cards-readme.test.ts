import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { CARD_NAMES, MESSAGE_NAMES } from '../../src/feishu/cards/card-set.js';
import { ACTIONS } from '../../src/feishu/cards/card-shapes.js';
import { LINK_MESSAGES } from '../../src/feishu/cards/message-rules.js';
import { SCREEN_RULES } from '../../src/feishu/cards/screen-rules.js';
import { VARIABLES } from '../../src/feishu/cards/variables.js';
import { CARDS_DIR } from './cards-support.js';

let readme: string;
before(async () => {
  readme = await readFile(join(CARDS_DIR, 'README.md'), 'utf8');
});

const namesIn = (text: string): string[] =>
  [...new Set([...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? ''))].sort();
/** The cells of the row that starts with this card. */
const rowOf = (name: string): string[] => {
  const row = readme.split('\n').find((line) => line.startsWith(`| \`${name}.json\` |`));
  assert.ok(row !== undefined, `cards/README.md has no row for ${name}.json`);
  return row.split('|').map((cell) => cell.trim());
};

const messageRow = (name: string): string[] => {
  const table = readme.slice(readme.indexOf('## Messages, where'), readme.indexOf('## Variables'));
  const row = table.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
  assert.ok(row !== undefined, `cards/README.md has no row for the message ${name}`);
  return row.split('|').map((cell) => cell.trim());
};

describe('cards/README.md', () => {
  for (const name of CARD_NAMES) {
    it(`names exactly the variables of ${name}.json`, async () => {
      const template = await readFile(join(CARDS_DIR, `${name}.json`), 'utf8');
      const conditions = [...template.matchAll(/"\$if": "(\w+)"/g)].map((match) => match[1]);
      const used = [...new Set([...namesIn(template), ...conditions])].sort();
      assert.deepEqual(namesIn(rowOf(name)[4] ?? ''), used);
    });

    it(`names the buttons ${name}.json must offer`, () => {
      const said = ACTIONS.filter((action) => rowOf(name)[3]?.includes(`\`${action}\``));
      const { actions, mayOffer = [] } = SCREEN_RULES[name];
      assert.deepEqual([...said].sort(), [...actions, ...mayOffer].sort());
    });
  }

  for (const name of MESSAGE_NAMES) {
    it(`names exactly the variables of the message ${name}`, async () => {
      const texts = JSON.parse(await readFile(join(CARDS_DIR, 'messages.json'), 'utf8'))[name];
      const conditions = texts.lines.flatMap(({ $if }: { $if?: string }) => ($if === undefined ? [] : [$if]));
      const used = [...new Set([...namesIn(JSON.stringify(texts)), ...conditions])].sort();
      const row = messageRow(name);
      assert.deepEqual(namesIn(row[4] ?? ''), used);
      assert.equal(row[3]?.includes('must open `{{link}}`'), LINK_MESSAGES.has(name));
    });
  }

  it('explains every variable there is, and no other', () => {
    const table = readme.slice(readme.indexOf('## Variables'), readme.indexOf('## The language'));
    assert.deepEqual(namesIn(table), Object.keys(VARIABLES).sort());
  });
});
