/**
 * The attributes of card JSON 2.0, as tables: what may be where, and which value. Anything that is not here is an
 * error in 2.0 (FEISHU.md §5.1). Data only; walk.ts applies it. Sizes are CSS-like strings ("8px").
 * Components an authorization card has no use for are known by name but not judged inside (`open`).
 */
import type { Rule } from './rule.js';

export interface Shape {
  readonly attributes: Readonly<Record<string, Rule>>;
  readonly required: readonly string[];
  /** Attributes are not judged: the component is legal, its inside is outside of what we model. */
  readonly open?: true;
}

const string: Rule = { kind: 'string' };
const boolean: Rule = { kind: 'boolean' };
const oneOf = (...values: string[]): Rule => ({ kind: 'enum', values });
const matching = (pattern: RegExp): Rule => ({ kind: 'string', pattern });
const shape = (name: string): Rule => ({ kind: 'shape', shape: name });
const plainText: Rule = { kind: 'text', tags: ['plain_text'] };
const anyText: Rule = { kind: 'text', tags: ['plain_text', 'lark_md'] };
const elements: Rule = { kind: 'elements' };
const i18nTexts: Rule = { kind: 'i18n_texts' };

const PX = '(?:0|\\d{1,4}px)';
const lengths = matching(new RegExp(`^-?${PX}(?: -?${PX}){0,3}$`));
const spacing = matching(new RegExp(`^(?:small|medium|large|extra_large|${PX})$`));
const color = matching(/^(?:[a-z]+(?:-\d{2,3})?|[A-Za-z][\w-]*|rgba\([\d., ]+\))$/);
const textSize = matching(/^[A-Za-z][\w-]{0,63}$/);
const url = matching(/^(?:https?|lark|mailto|tel|sslocal):\/{0,2}\S+$/);
const elementId = matching(/^[A-Za-z][A-Za-z0-9_]{0,19}$/);
const align = oneOf('left', 'center', 'right');
const verticalAlign = oneOf('top', 'center', 'bottom');

const LAYOUT = {
  direction: oneOf('vertical', 'horizontal'),
  horizontal_spacing: spacing,
  horizontal_align: align,
  vertical_spacing: spacing,
  vertical_align: verticalAlign,
  padding: lengths,
} as const;
const COMPONENT = { tag: string, element_id: elementId, margin: lengths } as const;

/** Objects that are no components, by the names the rules use. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  card: {
    required: ['schema'],
    attributes: {
      schema: oneOf('2.0'),
      config: shape('config'),
      card_link: shape('multi_url'),
      header: shape('header'),
      body: shape('body'),
    },
  },
  config: {
    required: [],
    attributes: {
      update_multi: { kind: 'boolean', only: true },
      enable_forward: boolean,
      enable_forward_interaction: boolean,
      width_mode: oneOf('default', 'compact', 'fill'),
      locales: { kind: 'locales' },
      summary: shape('summary'),
      style: shape('style'),
      streaming_mode: boolean,
      streaming_config: { kind: 'object' },
      use_custom_translation: boolean,
    },
  },
  summary: { required: [], attributes: { content: string, i18n_content: i18nTexts } },
  style: { required: [], attributes: { text_size: { kind: 'object' }, color: { kind: 'object' } } },
  multi_url: { required: [], attributes: { url, pc_url: url, ios_url: url, android_url: url } },
  header: {
    required: ['title'],
    attributes: {
      title: anyText,
      subtitle: anyText,
      text_tag_list: { kind: 'elements', only: ['text_tag'] },
      i18n_text_tag_list: { kind: 'object' },
      template: oneOf(
        ...['blue', 'wathet', 'turquoise', 'green', 'yellow', 'orange', 'red', 'carmine'],
        ...['violet', 'purple', 'indigo', 'grey', 'default'],
      ),
      icon: shape('icon'),
      padding: lengths,
    },
  },
  body: { required: ['elements'], attributes: { ...LAYOUT, elements } },
  icon: {
    required: ['tag'],
    attributes: { tag: oneOf('standard_icon', 'custom_icon'), token: string, color, img_key: string, size: lengths },
  },
  confirm: { required: ['title'], attributes: { title: plainText, text: plainText } },
  border: { required: [], attributes: { color, corner_radius: lengths } },
  panel_header: {
    required: ['title'],
    attributes: {
      title: { kind: 'text', tags: ['plain_text', 'markdown', 'lark_md'] },
      background_color: color,
      vertical_align: verticalAlign,
      padding: lengths,
      position: oneOf('top', 'bottom'),
      width: matching(/^(?:fill|auto|auto_when_fold)$/),
      icon: shape('icon'),
      icon_position: oneOf('left', 'right', 'follow_text'),
      icon_expanded_angle: { kind: 'integer', min: -360, max: 360 },
    },
  },
  behavior: {
    required: ['type'],
    attributes: {
      type: oneOf('open_url', 'callback', 'form_action'),
      default_url: url,
      pc_url: url,
      ios_url: url,
      android_url: url,
      // That it is an object is judged in behaviors.ts: the client has an own code for a string (200671).
      value: { kind: 'any' },
      behavior: string,
    },
  },
};

const text: Shape = {
  required: ['tag', 'content'],
  attributes: {
    tag: string,
    content: string,
    i18n_content: i18nTexts,
    text_size: textSize,
    text_color: color,
    text_align: align,
    lines: { kind: 'integer', min: 1, max: 100 },
    element_id: elementId,
  },
};

const open: Shape = { required: ['tag'], attributes: { element_id: elementId }, open: true };

/** Everything that has a `tag`, by it. `action` and `note` of 1.0 are missing on purpose. */
export const COMPONENTS: Readonly<Record<string, Shape>> = {
  plain_text: text,
  lark_md: text,
  text_tag: {
    required: ['tag', 'text'],
    attributes: { tag: string, element_id: elementId, text: plainText, color },
  },
  markdown: {
    required: ['tag', 'content'],
    attributes: {
      ...COMPONENT,
      content: string,
      i18n_content: i18nTexts,
      text_size: textSize,
      text_align: align,
      icon: shape('icon'),
    },
  },
  div: {
    required: ['tag', 'text'],
    attributes: { ...COMPONENT, text: anyText, width: matching(/^(?:fill|auto|\d{2,4}px)$/), icon: shape('icon') },
  },
  hr: { required: ['tag'], attributes: COMPONENT },
  img: {
    required: ['tag', 'img_key', 'alt'],
    attributes: {
      ...COMPONENT,
      img_key: matching(/^img_[\w-]+$/),
      alt: plainText,
      title: plainText,
      corner_radius: lengths,
      scale_type: oneOf('crop_center', 'crop_top', 'fit_horizontal'),
      size: string,
      transparent: boolean,
      preview: boolean,
    },
  },
  column_set: {
    required: ['tag', 'columns'],
    attributes: {
      ...COMPONENT,
      horizontal_spacing: spacing,
      horizontal_align: align,
      flex_mode: oneOf('none', 'stretch', 'flow', 'bisect', 'trisect'),
      background_style: color,
      action: { kind: 'object' },
      columns: { kind: 'elements', only: ['column'] },
    },
  },
  column: {
    required: ['tag'],
    attributes: {
      ...COMPONENT,
      ...LAYOUT,
      background_style: color,
      width: matching(/^(?:auto|weighted|\d{2,3}px)$/),
      weight: { kind: 'integer', min: 1, max: 5 },
      action: { kind: 'object' },
      elements,
    },
  },
  collapsible_panel: {
    required: ['tag', 'header'],
    attributes: {
      ...COMPONENT,
      ...LAYOUT,
      background_color: color,
      expanded: boolean,
      header: shape('panel_header'),
      border: shape('border'),
      elements,
    },
  },
  button: {
    required: ['tag'],
    attributes: {
      ...COMPONENT,
      type: oneOf(
        ...['default', 'primary', 'danger', 'text', 'primary_text', 'danger_text'],
        ...['primary_filled', 'danger_filled', 'laser'],
      ),
      size: oneOf('tiny', 'small', 'medium', 'large'),
      width: matching(/^(?:default|fill|[1-9]\d{2,3}px)$/),
      text: plainText,
      icon: shape('icon'),
      hover_tips: plainText,
      disabled: boolean,
      disabled_tips: plainText,
      confirm: shape('confirm'),
      behaviors: { kind: 'shapes', shape: 'behavior' },
      name: string,
      required: boolean,
      form_action_type: oneOf('submit', 'reset'),
      // Kept from 1.0, still taken by 2.0 (FEISHU.md §5.2).
      url,
      multi_url: shape('multi_url'),
      value: { kind: 'any' },
    },
  },
  interactive_container: {
    required: ['tag', 'behaviors', 'elements'],
    attributes: {
      ...COMPONENT,
      ...LAYOUT,
      width: string,
      height: string,
      background_style: color,
      has_border: boolean,
      border_color: color,
      corner_radius: lengths,
      behaviors: { kind: 'shapes', shape: 'behavior' },
      hover_tips: plainText,
      disabled: boolean,
      disabled_tips: plainText,
      confirm: shape('confirm'),
      elements,
    },
  },
  form: {
    required: ['tag', 'name', 'elements'],
    attributes: {
      ...COMPONENT,
      ...LAYOUT,
      name: { kind: 'string', notEmpty: true },
      confirm: shape('confirm'),
      elements,
    },
  },
  ...Object.fromEntries(
    [
      ...['img_combination', 'person', 'person_list', 'chart', 'table', 'audio', 'input', 'overflow', 'checker'],
      ...['select_static', 'multi_select_static', 'select_person', 'multi_select_person', 'select_img'],
      ...['date_picker', 'picker_time', 'picker_datetime'],
    ].map((tag) => [tag, open]),
  ),
};

/** Components that hold others; each is one level of nesting (a column belongs to its column_set). */
export const CONTAINERS: ReadonlySet<string> = new Set([
  'column_set',
  'collapsible_panel',
  'interactive_container',
  'form',
]);

/** Components a user fills in or presses: inside a form each needs a name (client code 200530). */
export const INTERACTIVE: ReadonlySet<string> = new Set([
  ...['button', 'input', 'select_static', 'multi_select_static', 'select_person', 'multi_select_person'],
  ...['date_picker', 'picker_time', 'picker_datetime', 'select_img', 'checker'],
]);
