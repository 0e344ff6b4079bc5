/**
 * Judges a template before it is filled: placeholders known and where their kind may stand, `$if` well-formed, both
 * languages present. What the filled card must look like is card-rules.ts and screen-rules.ts.
 */
import { LANGUAGES } from './card-set.js';
import { childPath, isObject, type Json, type JsonObject, type Problem } from './json.js';
import { modeOf, type TextMode } from './template.js';
import { isVariable, PLACEHOLDER, ruleOf } from './variables.js';

/** The target of a markdown link. */
const LINK_TARGET = /\]\(([^)\s]*)/g;

/** @param available names of the variables that have a value on this card */
export function checkTemplate(template: JsonObject, available: ReadonlySet<string>): Problem[] {
  return checkObject(template, '', available);
}

function checkObject(object: JsonObject, path: string, available: ReadonlySet<string>): Problem[] {
  const problems = languageRules(object).map((rule) => ({ path, rule }));
  for (const [key, value] of Object.entries(object)) {
    const at = childPath(path, key);
    if (key === '$if') problems.push(...conditionRules(value, available).map((rule) => ({ path: at, rule })));
    else if (key === 'i18n_content' && isObject(value)) {
      for (const [language, text] of Object.entries(value)) {
        problems.push(...checkString(text, childPath(at, language), modeOf(object, key), available));
      }
    } else problems.push(...checkValue(value, at, mayHold(object, key) ? modeOf(object, key) : null, available));
  }
  return problems;
}

function checkValue(value: Json, path: string, mode: TextMode | null, available: ReadonlySet<string>): Problem[] {
  if (isObject(value)) return checkObject(value, path, available);
  if (Array.isArray(value)) {
    const items: readonly Json[] = value;
    return items.flatMap((item, index) => checkValue(item, childPath(path, index), mode, available));
  }
  if (mode !== null) return checkString(value, path, mode, available);
  return typeof value === 'string' && value.includes('{{') ? [{ path, rule: 'is no place for a variable' }] : [];
}

/** Where a placeholder may stand: texts, addresses, the session id of a callback value. */
function mayHold(owner: JsonObject, key: string): boolean {
  return key === 'content' || key === 'session_id' || modeOf(owner, key) === 'url';
}

function checkString(text: Json, path: string, mode: TextMode, available: ReadonlySet<string>): Problem[] {
  if (typeof text !== 'string') return [];
  const names = namesIn(text);
  const rules = [
    ...(/\{\{|\}\}/.test(text.replace(PLACEHOLDER, '')) ? ['has a broken placeholder: write {{name}}'] : []),
    ...names.flatMap((name) => nameRules(name, available)),
    ...(mode === 'url' ? addressRules(text) : linkRules(text, mode)),
  ];
  return rules.map((rule) => ({ path, rule }));
}

const namesIn = (text: string): string[] => [...text.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '');
const isAddressVariable = (name: string): boolean => isVariable(name) && ruleOf(name).url === true;

function nameRules(name: string, available: ReadonlySet<string>): string[] {
  if (!isVariable(name)) return [`uses an unknown variable: {{${name}}}`];
  return available.has(name) ? [] : [`uses {{${name}}}, which has no value on this card`];
}

/** An address is one variable of that kind alone, or has no variable at all: nothing may be glued to a link. */
function addressRules(text: string): string[] {
  const names = namesIn(text);
  const alone = names.length === 1 && isAddressVariable(names[0] ?? '') && text === `{{${names[0]}}}`;
  return names.length === 0 || alone ? [] : ['must be {{link}} or {{applink}} alone, or a fixed address'];
}

function linkRules(text: string, mode: TextMode): string[] {
  const targets = mode === 'markdown' ? [...text.matchAll(LINK_TARGET)].map((match) => match[1] ?? '') : [];
  const outside = mode === 'markdown' ? text.replace(LINK_TARGET, '](') : text;
  return [
    ...targets.flatMap(addressRules),
    ...namesIn(outside)
      .filter(isAddressVariable)
      .map((name) => `may use {{${name}}} only as an address or as the target of a markdown link`),
  ];
}

function conditionRules(condition: Json, available: ReadonlySet<string>): string[] {
  if (typeof condition !== 'string') return ['must be the name of a variable'];
  return nameRules(condition, available);
}

function languageRules(object: JsonObject): string[] {
  const { content, i18n_content: texts } = object;
  if (isObject(texts)) {
    const missing = LANGUAGES.filter((language) => typeof texts[language] !== 'string' || texts[language] === '');
    const differs = content !== undefined && content !== texts[LANGUAGES[0]];
    return [
      ...missing.map((language) => `lacks the language ${language}`),
      ...(differs ? [`leave content out, or keep it equal to i18n_content.${LANGUAGES[0]}`] : []),
    ];
  }
  if (typeof content !== 'string') return [];
  const hasWords = /\p{L}/u.test(content.replace(PLACEHOLDER, ''));
  const differs = namesIn(content).some((name) => isVariable(name) && ruleOf(name).localized === true);
  return hasWords || differs
    ? [`has words in one language only: write i18n_content with ${LANGUAGES.join(' and ')}`]
    : [];
}
