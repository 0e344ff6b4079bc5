/**
 * What each screen must and may offer (CONTRACT §4): its buttons, whether it may hold a link, which variables have a
 * value there. An edited template that forgets Decline, or leaves a link on an ended session, is refused at start.
 */
import { objectsOf } from './card-rules.js';
import type { CardName } from './card-set.js';
import type { CallbackAction } from './card-shapes.js';
import { isObject, type JsonObject, type Problem } from './json.js';
import { VARIABLES, type VariableName } from './variables.js';

interface ScreenRule {
  /** Buttons that must be there. */
  readonly actions: readonly CallbackAction[];
  /** Buttons that may be there as well. */
  readonly mayOffer?: readonly CallbackAction[];
  /** The consent link must be offered here; `may`: the Authorize button may open it at once, where there is one. */
  readonly link?: 'must' | 'may';
}

export const SCREEN_RULES: Readonly<Record<CardName, ScreenRule>> = {
  request: { actions: ['authorize', 'decline'], link: 'may' },
  link: { actions: ['agreed', 'decline'], link: 'must' },
  confirming: { actions: [] },
  'link-expired': { actions: ['authorize', 'decline'], link: 'may' },
  'wrong-account': { actions: ['authorize', 'decline'], link: 'may' },
  authorized: { actions: ['revoke'] },
  rejected: { actions: [], mayOffer: ['restart'] },
  expired: { actions: ['restart'] },
  failed: { actions: ['restart'] },
  'wrong-account-final': { actions: ['restart'] },
  'missing-scopes': { actions: ['restart'] },
  superseded: { actions: [] },
  invalidated: { actions: [] },
  gone: { actions: [] },
  withdrawn: { actions: [] },
};

const ONLY_ON: Partial<Readonly<Record<VariableName, CardName>>> = {
  link: 'link',
  user_code: 'link',
  link_life: 'link',
  link_until: 'link',
  tries_left: 'wrong-account',
  missing_scopes: 'missing-scopes',
  more_missing_scopes: 'missing-scopes',
  more_missing_scopes_count: 'missing-scopes',
  failure: 'failed',
  failure_next: 'failed',
  failure_contact: 'failed',
  remedy: 'failed',
  feishu_code: 'failed',
  log_id: 'failed',
};

/** Of the card that is about a grant. */
const OF_A_GRANT: readonly VariableName[] = ['client', 'app', 'ended_at'];

/** Variables that have a value on this screen. The `gone` card is about nothing that is known, so it has none. */
export function variablesOn(name: CardName): ReadonlySet<string> {
  if (name === 'gone') return new Set();
  if (name === 'withdrawn') return new Set(OF_A_GRANT);
  const names = Object.keys(VARIABLES) as VariableName[];
  return new Set(names.filter((variable) => (ONLY_ON[variable] ?? name) === name && isAllowed(variable, name)));
}

const isAllowed = (variable: VariableName, name: CardName): boolean =>
  variable !== 'applink' || SCREEN_RULES[name].link !== undefined;

/** Judges the buttons and links of a filled card. */
export function checkScreenRules(name: CardName, card: JsonObject): Problem[] {
  const { actions, mayOffer = [], link } = SCREEN_RULES[name];
  const behaviors = objectsOf(card).filter((object) => object['type'] === 'callback' || object['type'] === 'open_url');
  const offered = behaviors.flatMap((behavior) => (isObject(behavior['value']) ? [behavior['value']['action']] : []));
  const opens = behaviors.some((behavior) => behavior['type'] === 'open_url');
  const rules = [
    ...actions.filter((action) => !offered.includes(action)).map((action) => `must offer the button "${action}"`),
    ...offered
      .filter((action) => ![...actions, ...mayOffer].some((known) => known === action))
      .map((action) => `must not offer "${String(action)}"`),
    ...(opens && link === undefined ? ['must not open a page: no link belongs on this card'] : []),
    ...(!opens && link === 'must' ? ['must offer a button that opens the authorization page'] : []),
  ];
  return rules.map((rule) => ({ path: 'body', rule }));
}
