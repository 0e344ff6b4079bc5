/**
 * How many columns of a terminal a text takes (Unicode TR11, Unicode TR51). Chinese, Japanese and Korean characters,
 * full-width forms and emoji take two; marks that sit on another character none.
 */

const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Emoji_Presentation}\u3000-\u303E\u30FB\u30FC\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6]/u;
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;
/** A sign followed by U+FE0F is drawn as an emoji. */
const EMOJI_VARIATION = '\uFE0F';

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += graphemeWidth(segment);
  return width;
}

function graphemeWidth(grapheme: string): number {
  if (ZERO.test(grapheme)) return 0;
  return WIDE.test(grapheme) || grapheme.includes(EMOJI_VARIATION) ? 2 : 1;
}

/** Filled up with spaces; longer texts stay as they are. */
export const padTo = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - displayWidth(text)));
