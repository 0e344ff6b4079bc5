/**
 * Text written by others (reasons, names), made harmless to show. Pure. Lengths are code points, not UTF-16 units:
 * an emoji is one character to the person who counts it.
 */

/**
 * What may not reach a card: control characters, bidi marks and overrides (they make a text read as another one),
 * invisible fillers, tag characters, lone surrogates. Joiners (U+200C, U+200D) stay: scripts and emoji need them.
 */
const UNWANTED = new RegExp(
  [
    '[\\u0000-\\u0009\\u000B-\\u001F\\u007F-\\u009F]',
    '[\\u061C\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069]',
    '[\\u00AD\\u180E\\u200B\\u2060-\\u2065\\u206A-\\u206F\\uFEFF\\uFFF9-\\uFFFB]',
    '[\\u{E0000}-\\u{E007F}]',
    '\\p{Cs}',
  ].join('|'),
  'gu',
);

const LINE_BREAK = /\r\n?|[\v\f\u0085\u2028\u2029]/g;

/** Line breaks of all kinds become `\n`, tabs become spaces, everything unwanted goes. */
export const stripInvisible = (text: string): string =>
  text.replace(LINE_BREAK, '\n').replaceAll('\t', ' ').replace(UNWANTED, '');

export const lengthInCharacters = (text: string): number => [...text].length;

/** At most `max` characters; a longer text ends in an ellipsis, which counts. */
export function clip(text: string, max: number): string {
  const characters = [...text];
  return characters.length <= max ? text : `${characters.slice(0, max - 1).join('')}…`;
}

/** One line of at most `max` characters, as a name is shown. */
export const cleanName = (text: string, max: number): string =>
  clip(stripInvisible(text).replace(/\s+/g, ' ').trim(), max);
