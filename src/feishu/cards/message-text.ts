/**
 * Fills a text of `cards/messages.json` and makes a `post` message of it (FEISHU.md §4.2: the content structure of
 * `post`). A post has both languages, each client shows its own. Pure.
 *
 * The language is that of the cards, smaller: `{{variable}}` in texts, `"$if": "variable"` on a line, and `open` on a
 * line that is a link. What a text may say is judged at start by message-rules.ts, so that nothing here has to fail.
 */
import type { LocalizedText } from '../../config/config.js';
import { LANGUAGES, type Language } from './card-set.js';
import { escapePostText } from './escape.js';
import type { JsonObject } from './json.js';
import { isEmptyVariable, isVariable, PLACEHOLDER, ruleOf, type Variables, valueIn } from './variables.js';

/** One line, or as many as its values have. */
export interface MessageLine extends LocalizedText {
  /** Dropped when this variable is empty. */
  readonly $if?: string;
  /** The line is a link to this: `{{link}}`, `{{applink}}` or a fixed address. */
  readonly open?: string;
}

export interface MessageText {
  readonly title: LocalizedText;
  readonly lines: readonly MessageLine[];
}

/** Bytes. Feishu takes 30 KB (the smaller reading of it) for the whole request, which has ids beside the content. */
export const MAX_POST_BYTES = 29_500;

/**
 * A message that would be too long does without the second way to its link, then without the end of its list: Feishu's
 * page has the whole list.
 */
export function fillMessage(message: MessageText, variables: Variables): JsonObject {
  const whole = postOf(message, variables);
  if (sizeOf(whole) <= MAX_POST_BYTES) return whole;
  const shorter: Variables = { ...variables, applink: '' };
  const short = postOf(message, shorter);
  if (sizeOf(short) <= MAX_POST_BYTES) return short;
  const count = valueIn(variables, 'more_scopes_count', LANGUAGES[0]);
  return postOf(message, { ...shorter, more_scopes: count === '' ? '' : `• … +${count}` });
}

/** `content` is a string that holds JSON, inside a body of JSON: every quotation mark takes more than one byte. */
export const sizeOf = (post: JsonObject): number => Buffer.byteLength(JSON.stringify(JSON.stringify(post)));

function postOf({ lines, title }: MessageText, variables: Variables): JsonObject {
  const shown = lines.filter(({ $if }) => $if === undefined || (isVariable($if) && !isEmptyVariable(variables, $if)));
  const entries = LANGUAGES.map((language) => {
    const content = shown.flatMap((line) => paragraphs(line, language, variables));
    return [language, { title: fill(title[language], language, variables), content }] as const;
  });
  return Object.fromEntries(entries);
}

type Paragraph = readonly JsonObject[];

function paragraphs(line: MessageLine, language: Language, variables: Variables): Paragraph[] {
  const text = fill(line[language], language, variables);
  if (line.open !== undefined) return [[{ tag: 'a', text, href: address(line.open, language, variables) }]];
  const texts = text.split('\n').filter((part) => part.trim() !== '');
  return texts.map((part) => [{ tag: 'text', text: part }]);
}

const fill = (text: string, language: Language, variables: Variables): string =>
  text.replace(PLACEHOLDER, (_match, name: string) => {
    if (!isVariable(name)) return '';
    const value = valueIn(variables, name, language);
    return ruleOf(name).ours ? value : escapePostText(value);
  });

/** Byte by byte as given. */
const address = (open: string, language: Language, variables: Variables): string =>
  open.replace(PLACEHOLDER, (_match, name: string) => (isVariable(name) ? valueIn(variables, name, language) : ''));
