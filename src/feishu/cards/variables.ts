/**
 * The variables a card template may use: their names, where they may stand, how their values get into a text.
 * Where the values come from is session-variables.ts. Documented for editors in cards/README.md (a test compares).
 */
import type { LocalizedText } from '../../config/config.js';
import type { Language } from './card-set.js';

interface VariableRule {
  /** Differs by language: a text with it needs both languages. */
  readonly localized?: true;
  /** Made by us from digits and our own words: put into markdown as it is. All others are escaped there. */
  readonly ours?: true;
  /** An address: the only kind that may stand in a URL field or as the target of a markdown link. */
  readonly url?: true;
}

export const VARIABLES = {
  session_id: {},
  client: { localized: true },
  app: {},
  reason: {},
  scopes: { localized: true },
  more_scopes: { localized: true },
  more_scopes_count: { ours: true },
  missing_scopes: { localized: true },
  more_missing_scopes: { localized: true },
  more_missing_scopes_count: { ours: true },
  deadline: { localized: true, ours: true },
  ended_at: { localized: true, ours: true },
  user_code: {},
  link: { url: true },
  applink: { url: true },
  link_life: { localized: true, ours: true },
  link_until: { localized: true, ours: true },
  tries_left: { ours: true },
  failure: { localized: true },
  failure_next: { localized: true },
  failure_contact: { localized: true },
  remedy: {},
  feishu_code: { ours: true },
  log_id: {},
} as const satisfies Record<string, VariableRule>;

export type VariableName = keyof typeof VARIABLES;
/** Empty text: the session has no such thing; `$if` asks for that. */
export type Variables = Readonly<Record<VariableName, string | LocalizedText>>;

/** For what has no session: every variable is empty. */
export const NO_VARIABLES = Object.fromEntries(Object.keys(VARIABLES).map((name) => [name, ''])) as Record<
  VariableName,
  string
>;

/** A placeholder: `{{name}}`. */
export const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;

export const isVariable = (name: string): name is VariableName => Object.hasOwn(VARIABLES, name);
export const ruleOf = (name: VariableName): VariableRule => VARIABLES[name];

export function valueIn(variables: Variables, name: VariableName, language: Language): string {
  const value = variables[name];
  return typeof value === 'string' ? value : value[language];
}

export const isEmptyVariable = (variables: Variables, name: VariableName): boolean =>
  valueIn(variables, name, 'zh_cn') === '' && valueIn(variables, name, 'en_us') === '';
