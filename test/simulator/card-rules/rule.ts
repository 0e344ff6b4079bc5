/**
 * What a rule about one attribute of a card is, and the judgement of one plain value by it.
 * Owns: the kinds of values Feishu takes in card JSON 2.0. Does not own: which attribute has which rule
 * (attributes.ts), walking the card (walk.ts). Source: FEISHU.md §5.
 */

/** A rule for one attribute, as data. `shape`, `component`s and lists of them are followed by walk.ts. */
export type Rule =
  | { readonly kind: 'string'; readonly pattern?: RegExp; readonly notEmpty?: true }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'boolean'; readonly only?: boolean }
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'object' }
  | { readonly kind: 'i18n_texts' }
  | { readonly kind: 'locales' }
  | { readonly kind: 'shape'; readonly shape: string }
  | { readonly kind: 'shapes'; readonly shape: string; readonly max?: number }
  | { readonly kind: 'text'; readonly tags: readonly string[] }
  | { readonly kind: 'elements'; readonly only?: readonly string[] }
  | { readonly kind: 'any' };

/** The languages Feishu knows in `i18n_content` and `locales` (FEISHU.md §3.3, §5.3). */
export const LOCALES: ReadonlySet<string> = new Set([
  ...['zh_cn', 'en_us', 'zh_hk', 'zh_tw', 'ja_jp', 'id_id', 'vi_vn', 'th_th'],
  ...['pt_br', 'es_es', 'ko_kr', 'de_de', 'fr_fr', 'it_it', 'ru_ru', 'ms_my'],
]);

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Judges a value that holds no further components.
 * @returns what is wrong, or null
 */
export function judgeValue(rule: Rule, value: unknown): string | null {
  switch (rule.kind) {
    case 'string':
      return judgeString(rule, value);
    case 'enum':
      return typeof value === 'string' && rule.values.includes(value)
        ? null
        : `value ${JSON.stringify(value)} is not one of ${rule.values.join(', ')}`;
    case 'boolean':
      return judgeBoolean(rule, value);
    case 'integer':
      return Number.isInteger(value) && Number(value) >= rule.min && Number(value) <= rule.max
        ? null
        : `expected an integer from ${rule.min} to ${rule.max}`;
    case 'i18n_texts':
      return judgeI18nTexts(value);
    case 'locales':
      return Array.isArray(value) && value.every((item) => typeof item === 'string' && LOCALES.has(item))
        ? null
        : 'expected a list of known languages';
    case 'object':
    case 'shape':
    case 'text':
      return isObject(value) ? null : `expected an object, got ${typeName(value)}`;
    case 'shapes':
    case 'elements':
      return Array.isArray(value) ? null : `expected an array, got ${typeName(value)}`;
    case 'any':
      return null;
  }
}

function judgeString(rule: Rule & { kind: 'string' }, value: unknown): string | null {
  if (typeof value !== 'string') return `expected a string, got ${typeName(value)}`;
  if (rule.notEmpty && value === '') return 'must not be empty';
  return rule.pattern && !rule.pattern.test(value) ? `value "${value.slice(0, 60)}" is not accepted` : null;
}

function judgeBoolean(rule: Rule & { kind: 'boolean' }, value: unknown): string | null {
  if (typeof value !== 'boolean') return `expected a boolean, got ${typeName(value)}`;
  return rule.only !== undefined && value !== rule.only ? `only ${rule.only} is supported` : null;
}

function judgeI18nTexts(value: unknown): string | null {
  if (!isObject(value)) return `expected an object, got ${typeName(value)}`;
  for (const [locale, text] of Object.entries(value)) {
    if (!LOCALES.has(locale)) return `unknown language "${locale}"`;
    if (typeof text !== 'string') return `text for "${locale}" is not a string`;
  }
  return null;
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
