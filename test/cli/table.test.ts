/** Tables are aligned as a terminal shows them, and hold nothing that commands it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { displayWidth, padTo } from '../../src/cli/display-width.js';
import { createOutput } from '../../src/cli/output.js';
import { cell, record, table, timeCell } from '../../src/cli/table.js';

describe('displayWidth', () => {
  const widths: [text: string, width: number][] = [
    ['', 0],
    ['session', 7],
    ['授权', 4],
    ['「授权」', 8],
    ['ＡＢ，', 6],
    ['한국', 4],
    ['カナ', 4],
    ['é', 1],
    ['e\u0301', 1],
    ['🙂', 2],
    ['👩‍👩‍👧', 2],
    ['✔️', 2],
    ['—…·', 3],
    ['\u200b', 0],
  ];
  for (const [text, width] of widths) {
    it(`${JSON.stringify(text)} takes ${width} columns`, () => assert.equal(displayWidth(text), width));
  }

  it('fills up to a width and leaves what is longer', () => {
    assert.equal(padTo('授权', 6), '授权  ');
    assert.equal(padTo('abcdef', 3), 'abcdef');
  });
});

describe('table and record', () => {
  it('align columns by what is shown, without spaces at the ends of lines', () => {
    assert.equal(
      table(
        ['NAME', 'STATE', 'WHY'],
        [
          ['李华', 'active', '-'],
          ['Li Hua', '已授权', 'x'],
        ],
      ),
      ['NAME    STATE   WHY', '李华    active  -', 'Li Hua  已授权  x', ''].join('\n'),
    );
    assert.equal(table(['A', 'B'], []), 'A  B\n');
    assert.equal(
      record([
        ['原因', 'a'],
        ['cause', 'b'],
      ]),
      '原因   a\ncause  b\n',
    );
    assert.equal(record([]), '');
  });

  it('show values as people read them', () => {
    assert.deepEqual([null, undefined, '', [], ['a', 'b'], true, false, 0, { a: 1 }].map(cell), [
      '-',
      '-',
      '-',
      '-',
      'a b',
      'yes',
      'no',
      '0',
      '{"a":1}',
    ]);
    assert.equal(timeCell('2026-11-22T07:10:03.123Z'), '2026-11-22T07:10:03Z');
    assert.equal(timeCell(null), '-');
  });

  it('take out what commands a terminal or turns text around', () => {
    assert.equal(cell('a\u001b[31mb\u202ec\nd\u009b2J'), 'a[31mbc d2J');
  });
});

describe('output', () => {
  it('escapes in JSON what a terminal may take for a command', () => {
    const written: string[] = [];
    const stdout = { write: (text: string) => written.push(text) } as unknown as NodeJS.WritableStream;
    createOutput({ stdout, stderr: stdout }).json({ a: '\u009b2J\u007f授' });
    assert.equal(written.join(''), '{\n  "a": "\\u009b2J\\u007f授"\n}\n');
    assert.deepEqual(JSON.parse(written.join('')), { a: '\u009b2J\u007f授' });
  });
});
