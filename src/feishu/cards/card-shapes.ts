/**
 * Card JSON 2.0 as far as an authorization card may use it (FEISHU.md §5.1, §5.2): the components, their attributes
 * and values. Narrower than Feishu on purpose: forms, pictures and charts have no place on these cards, and what is
 * not documented for 2.0 is refused.
 */
import { LANGUAGES } from './card-set.js';
import * as check from './checks.js';
import { isObject, type JsonObject } from './json.js';

/** Actions of callback values (CONTRACT §4). */
export const ACTIONS = ['authorize', 'agreed', 'decline', 'restart', 'revoke'] as const;
export type CallbackAction = (typeof ACTIONS)[number];

const pixels = check.matching(/^\d{1,2}px$/, 'a size like 8px');
const edges = check.matching(/^-?\d{1,2}px( -?\d{1,2}px){0,3}$/, 'one to four sizes like 8px');
const spacing = check.matching(
  /^(small|medium|large|extra_large|\d{1,2}px)$/,
  'small … extra_large or a size like 8px',
);
const color = check.matching(/^([a-z]+(-\d{2,3})?|rgba\([\d., ]+\))$/, 'a colour like grey or blue-100');
const elementId = check.matching(/^[A-Za-z]\w{0,19}$/, 'a letter, then up to 19 letters, digits or _');
const textSize = check.oneOf('normal', 'notation', 'heading');
const alignment = check.oneOf('left', 'center', 'right');
const verticalAlignment = check.oneOf('top', 'center', 'bottom');

const languages = check.object(Object.fromEntries(LANGUAGES.map((language) => [language, check.filledString])));
const text = (tags: readonly string[]): check.Check =>
  check.object(
    { tag: check.oneOf(...tags), content: check.filledString },
    { i18n_content: languages, text_size: textSize, text_color: color, text_align: alignment },
  );
const plainText = text(['plain_text']);

const layout: check.Attributes = {
  direction: check.oneOf('vertical', 'horizontal'),
  padding: edges,
  vertical_spacing: spacing,
  horizontal_spacing: spacing,
  vertical_align: verticalAlignment,
  horizontal_align: alignment,
};
const component: check.Attributes = { element_id: elementId, margin: edges };

/** https everywhere, http on this machine only (a simulator). */
const address: check.Check = (value, path) =>
  typeof value === 'string' && isAddress(value) ? [] : [{ path, rule: 'must be an https address' }];

function isAddress(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname } = new URL(value);
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname));
}

const openUrl = check.object(
  { type: check.exactly('open_url'), default_url: address },
  { pc_url: address, ios_url: address, android_url: address },
);
const callback = check.object({
  type: check.exactly('callback'),
  value: check.object({ action: check.oneOf(...ACTIONS), session_id: check.filledString }),
});
const behavior: check.Check = (value, path) => {
  const isLink = isObject(value) && value['type'] === 'open_url';
  return (isLink ? openUrl : callback)(value, path);
};

const button = check.also(
  check.object(
    { tag: check.exactly('button'), text: plainText, behaviors: check.list(behavior, 1, 2) },
    {
      ...component,
      type: check.oneOf(
        ...['default', 'primary', 'danger', 'text', 'primary_text', 'danger_text'],
        ...['primary_filled', 'danger_filled', 'laser'],
      ),
      size: check.oneOf('tiny', 'small', 'medium', 'large'),
      width: check.matching(/^(default|fill|[1-9]\d{2,3}px)$/, 'default, fill or at least 100px'),
      hover_tips: plainText,
      disabled: check.boolean,
      disabled_tips: plainText,
      confirm: check.object({ title: plainText }, { text: plainText }),
    },
  ),
  (value) => (hasTwoOfAKind(value) ? 'may have one open_url and one callback, not two of a kind' : null),
);

function hasTwoOfAKind(value: JsonObject): boolean {
  const behaviors = Array.isArray(value['behaviors']) ? (value['behaviors'] as readonly JsonObject[]) : [];
  return new Set(behaviors.map((entry) => entry['type'])).size < behaviors.length;
}

const element = check.tagged(() => COMPONENTS);
const elements = check.list(element, 1);

const panelHeader = check.object(
  {
    title: text(['plain_text', 'lark_md', 'markdown']),
  },
  { background_color: color, vertical_align: verticalAlignment, padding: edges },
);

/** What may stand in a list of elements, by tag. */
export const COMPONENTS: Readonly<Record<string, check.Check>> = {
  markdown: check.object(
    { tag: check.exactly('markdown'), content: check.filledString },
    { ...component, i18n_content: languages, text_size: textSize, text_align: alignment },
  ),
  div: check.object({ tag: check.exactly('div'), text: text(['plain_text', 'lark_md']) }, component),
  hr: check.object({ tag: check.exactly('hr') }, component),
  button,
  column_set: check.object(
    {
      tag: check.exactly('column_set'),
      columns: check.list(
        check.object(
          { tag: check.exactly('column'), elements },
          {
            ...component,
            ...layout,
            width: check.oneOf('auto', 'weighted'),
            weight: check.integer(1, 5),
            background_style: color,
          },
        ),
        1,
      ),
    },
    {
      ...component,
      flex_mode: check.oneOf('none', 'stretch', 'flow', 'bisect', 'trisect'),
      horizontal_align: alignment,
      horizontal_spacing: spacing,
      background_style: color,
    },
  ),
  collapsible_panel: check.object(
    { tag: check.exactly('collapsible_panel'), header: panelHeader, elements },
    {
      ...component,
      ...layout,
      expanded: check.boolean,
      background_color: color,
      border: check.object({ color }, { corner_radius: pixels }),
    },
  ),
};

const HEADER_COLORS = [
  ...['blue', 'wathet', 'turquoise', 'green', 'yellow', 'orange', 'red', 'carmine'],
  ...['violet', 'purple', 'indigo', 'grey', 'default'],
];

/** A whole card. `locales` and the two forward switches are ours to demand: these cards are personal. */
export const CARD: check.Check = check.object({
  schema: check.exactly('2.0'),
  config: check.object(
    {
      update_multi: check.exactly(true),
      enable_forward: check.exactly(false),
      enable_forward_interaction: check.exactly(false),
      locales: check.list(check.oneOf(...LANGUAGES), LANGUAGES.length, LANGUAGES.length),
      summary: check.object({ content: check.filledString, i18n_content: languages }),
    },
    { width_mode: check.oneOf('default', 'compact', 'fill') },
  ),
  header: check.object(
    { title: text(['plain_text', 'lark_md']), template: check.oneOf(...HEADER_COLORS) },
    { subtitle: text(['plain_text', 'lark_md']), padding: edges },
  ),
  body: check.object({ elements }, layout),
});
