/**
 * The `reason` of a request: free text by the requester, shown to the user as such (CONTRACT §4.7). Pure.
 * The API refuses what `reasonProblem` names; `cleanReason` is what is stored and shown.
 */
import { clip, lengthInCharacters, stripInvisible } from './plain-text.js';

/** Code points. */
export const MAX_REASON_CHARACTERS = 200;
export const MAX_REASON_LINES = 3;

/**
 * Plain text of at most 200 characters and 3 lines, without control and bidi characters, blank lines and outer
 * spaces. Idempotent. What is too long is cut, so that the result can be shown whatever came in.
 */
export function cleanReason(text: string): string {
  const lines = linesOf(text).slice(0, MAX_REASON_LINES);
  return clip(lines.join('\n'), MAX_REASON_CHARACTERS);
}

/** Why the API refuses the text, as the end of a sentence that starts with its name; null: it may be used. */
export function reasonProblem(text: string): string | null {
  const lines = linesOf(text);
  const characters = lengthInCharacters(lines.join('\n'));
  if (characters > MAX_REASON_CHARACTERS) {
    return `has ${characters} characters, at most ${MAX_REASON_CHARACTERS} are allowed`;
  }
  if (lines.length > MAX_REASON_LINES) return `has ${lines.length} lines, at most ${MAX_REASON_LINES} are allowed`;
  return null;
}

const linesOf = (text: string): string[] =>
  stripInvisible(text)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
