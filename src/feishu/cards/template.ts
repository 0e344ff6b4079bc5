/**
 * Fills a card template: JSON with `{{variable}}` inside strings and `"$if": "variable"` on objects. Pure; the whole
 * language is here and in cards/README.md. What a template may say is judged at start by template-check.ts, so that
 * nothing here has to fail.
 *
 * How a value gets into a text depends on where it stands: escaped in markdown, as it is in plain text, byte by byte
 * in URL fields and as the target of a markdown link.
 */
import { LANGUAGES, type Language } from './card-set.js';
import { escapeMarkdown, markdownLinkTarget } from './escape.js';
import { isObject, type Json, type JsonObject } from './json.js';
import { isEmptyVariable, isVariable, ruleOf, type Variables, valueIn } from './variables.js';

/** How a value is put into the string it stands in. */
export type TextMode = 'plain' | 'markdown' | 'url';

const URL_KEYS: ReadonlySet<string> = new Set(['url', 'default_url', 'pc_url', 'ios_url', 'android_url']);
const MARKDOWN_TAGS: ReadonlySet<Json | undefined> = new Set(['markdown', 'lark_md']);

/** A placeholder, together with the `](` that makes it the target of a markdown link. */
const IN_TEXT = /(\]\()?\{\{([^{}]*)\}\}/g;

export function modeOf(owner: JsonObject, key: string): TextMode {
  if (URL_KEYS.has(key)) return 'url';
  const isText = key === 'content' || key === 'i18n_content';
  return isText && MARKDOWN_TAGS.has(owner['tag']) ? 'markdown' : 'plain';
}

/** The card for these variables. The template is not changed; the result shares nothing with it. */
export function fillTemplate(template: JsonObject, variables: Variables): JsonObject {
  const filled: Record<string, Json> = {};
  for (const [key, value] of Object.entries(template)) {
    if (key === '$if' || isDropped(value, variables)) continue;
    filled[key] =
      key === 'i18n_content' && isObject(value)
        ? fillLanguages(value, modeOf(template, key), variables)
        : fillValue(value, modeOf(template, key), variables);
  }
  const texts = filled['i18n_content'];
  // Feishu wants a default text beside the languages (FEISHU.md §5.3); editors need not write it twice.
  if (isObject(texts) && filled['content'] === undefined) filled['content'] = texts[LANGUAGES[0]] ?? '';
  return filled;
}

function fillValue(value: Json, mode: TextMode, variables: Variables): Json {
  if (typeof value === 'string') return fillText(value, mode, LANGUAGES[0], variables);
  if (isObject(value)) return fillTemplate(value, variables);
  if (!Array.isArray(value)) return value;
  return (value as readonly Json[])
    .filter((item) => !isDropped(item, variables))
    .map((item) => fillValue(item, mode, variables));
}

function fillLanguages(texts: JsonObject, mode: TextMode, variables: Variables): JsonObject {
  const entries = LANGUAGES.map((language) => {
    const text = texts[language];
    return [language, typeof text === 'string' ? fillText(text, mode, language, variables) : ''] as const;
  });
  return Object.fromEntries(entries);
}

export function fillText(text: string, mode: TextMode, language: Language, variables: Variables): string {
  return text.replace(IN_TEXT, (_match, linkStart: string | undefined, name: string) => {
    const value = isVariable(name) ? valueIn(variables, name, language) : '';
    if (mode !== 'markdown') return `${linkStart ?? ''}${value}`;
    if (linkStart !== undefined) return `${linkStart}${markdownLinkTarget(value)}`;
    return isVariable(name) && ruleOf(name).ours ? value : escapeMarkdown(value);
  });
}

function isDropped(value: Json, variables: Variables): boolean {
  const condition = isObject(value) ? value['$if'] : undefined;
  return typeof condition === 'string' && (!isVariable(condition) || isEmptyVariable(variables, condition));
}
