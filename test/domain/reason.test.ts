import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cleanName, clip } from '../../src/domain/plain-text.js';
import { cleanReason, reasonProblem } from '../../src/domain/reason.js';

describe('the reason of a request', () => {
  it('keeps an ordinary text as it is', () => {
    const text = '每周一汇总项目文档 📄\nWeekly report';
    assert.equal(cleanReason(text), text);
    assert.equal(reasonProblem(text), null);
  });

  it('loses control characters, escape codes and NUL', () => {
    assert.equal(cleanReason('a\u0000b\u001b[31mc\u009bd\u007fe'), 'ab[31mcde');
  });

  it('loses bidi marks and overrides that would make it read as another text', () => {
    assert.equal(cleanReason('pay \u202Egnp.exe\u202C \u2066x\u2069 \u200Fy\u061C'), 'pay gnp.exe x y');
  });

  it('loses invisible fillers, tag characters and lone surrogates but keeps joined emoji whole', () => {
    assert.equal(cleanReason('a\u200Bb\uFEFFc\u{E0041}d\uD800e 👩‍💻'), 'abcde 👩‍💻');
  });

  it('turns every kind of line break into one, and drops blank lines', () => {
    assert.equal(cleanReason('  a\r\n\r\n b\u2028c  \n'), 'a\nb\nc');
  });

  it('counts characters as people do, an emoji as one', () => {
    assert.equal(reasonProblem('😀'.repeat(200)), null);
    assert.equal(reasonProblem('😀'.repeat(201)), 'has 201 characters, at most 200 are allowed');
  });

  it('counts only what will be shown', () => {
    assert.equal(reasonProblem(`${'\u202E'.repeat(50)}${'x'.repeat(200)}`), null);
  });

  it('refuses a fourth line', () => {
    assert.equal(reasonProblem('a\nb\nc'), null);
    assert.equal(reasonProblem('a\nb\nc\nd'), 'has 4 lines, at most 3 are allowed');
  });

  it('is never longer than allowed, whatever came in, and cleaning twice changes nothing', () => {
    for (const text of ['x'.repeat(999), 'a\nb\nc\nd\ne', '😀'.repeat(300), '\u0000', '']) {
      const clean = cleanReason(text);
      assert.ok([...clean].length <= 200 && clean.split('\n').length <= 3);
      assert.equal(reasonProblem(clean), null);
      assert.equal(cleanReason(clean), clean);
    }
  });
});

describe('a name from the configuration', () => {
  it('becomes one line of bounded length', () => {
    assert.equal(cleanName(' Report\n\u202E bot ', 60), 'Report bot');
    assert.equal(cleanName('x'.repeat(61), 60), `${'x'.repeat(59)}…`);
  });

  it('is cut between characters, never inside one', () => {
    assert.equal(clip('😀😀😀', 2), '😀…');
  });
});
