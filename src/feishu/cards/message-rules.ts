/**
 * Judges the texts of `cards/messages.json`: variables known and with a value in that message, links where they belong
 * and nowhere else, and whether Feishu would take the longest. The shape of the file is judged by card-files.ts.
 */
import { LANGUAGES, type MessageTextName } from './card-set.js';
import type { JsonObject, Problem } from './json.js';
import { MAX_POST_BYTES, type MessageLine, type MessageText, sizeOf } from './message-text.js';
import { variablesOn } from './screen-rules.js';
import { isVariable, PLACEHOLDER, ruleOf } from './variables.js';

/** They bring the link, all others must not. */
export const LINK_MESSAGES: ReadonlySet<MessageTextName> = new Set(['request', 'wrong-account']);

const ADDRESS_VARIABLES = ['link', 'applink'];
const FIXED_ADDRESS = /^https:\/\/[^\s{}]+$/;

/** Variables that have a value in this message: those of the card for the same, and the link where it is brought. */
export function variablesIn(name: MessageTextName): ReadonlySet<string> {
  const others = [...variablesOn(name)].filter((variable) => !ADDRESS_VARIABLES.includes(variable));
  return new Set([...others, ...(LINK_MESSAGES.has(name) ? ADDRESS_VARIABLES : [])]);
}

export function checkMessageText(name: MessageTextName, { lines, title }: MessageText): Problem[] {
  const available = variablesIn(name);
  const textsOf = (place: string, texts: MessageLine): Problem[] =>
    LANGUAGES.flatMap((language) => textRules(texts[language], available).map(at(`${name}.${place}.${language}`)));
  return [
    ...textsOf('title', title),
    ...lines.flatMap((line, index) => [
      ...textsOf(`lines[${index}]`, line),
      ...conditionRules(line, available).map(at(`${name}.lines[${index}].$if`)),
      ...openRules(line, available).map(at(`${name}.lines[${index}].open`)),
    ]),
    ...linkRules(name, lines).map(at(`${name}.lines`)),
  ];
}

/** Judges a filled message. */
export function checkPost(name: MessageTextName, post: JsonObject): Problem[] {
  const bytes = sizeOf(post);
  return bytes > MAX_POST_BYTES
    ? [{ path: name, rule: `has up to ${bytes} bytes, at most ${MAX_POST_BYTES} are allowed` }]
    : [];
}

const at =
  (path: string) =>
  (rule: string): Problem => ({ path, rule });

const namesIn = (text: string): string[] => [...text.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '');
const isAddress = (name: string): boolean => isVariable(name) && ruleOf(name).url === true;

function nameRules(name: string, available: ReadonlySet<string>): string[] {
  if (!isVariable(name)) return [`uses an unknown variable: {{${name}}}`];
  return available.has(name) ? [] : [`uses {{${name}}}, which has no value in this message`];
}

function textRules(text: string, available: ReadonlySet<string>): string[] {
  const names = namesIn(text);
  return [
    ...(/\{\{|\}\}/.test(text.replace(PLACEHOLDER, '')) ? ['has a broken placeholder: write {{name}}'] : []),
    ...names.flatMap((name) => nameRules(name, available)),
    ...names.filter(isAddress).map((name) => `may use {{${name}}} only as the whole of "open"`),
  ];
}

const conditionRules = ({ $if }: MessageLine, available: ReadonlySet<string>): string[] =>
  $if === undefined ? [] : nameRules($if, available);

function openRules({ open }: MessageLine, available: ReadonlySet<string>): string[] {
  if (open === undefined) return [];
  const [name] = namesIn(open);
  if (name !== undefined && isAddress(name) && open === `{{${name}}}`) return nameRules(name, available);
  return FIXED_ADDRESS.test(open) ? [] : ['must be {{link}} or {{applink}} alone, or a fixed https address'];
}

/** `{{applink}}` may be left out of a long message, so that one line has to be the plain link. */
function linkRules(name: MessageTextName, lines: readonly MessageLine[]): string[] {
  const isThere = lines.some(({ $if, open }) => open === '{{link}}' && $if === undefined);
  return LINK_MESSAGES.has(name) && !isThere ? ['must have a line without $if that opens {{link}}'] : [];
}
