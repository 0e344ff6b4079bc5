/**
 * The daemon's own judgement of a finished card: would Feishu take it, on send, on PATCH and as an ack alike?
 * (FEISHU.md §5.1; an invalid ack shows the user error 200673.) What a screen may offer is screen-rules.ts.
 */
import { CARD } from './card-shapes.js';
import { isObject, type Json, type Problem } from './json.js';

/** Bytes of the card's JSON. Feishu says 30 KB; the smaller reading of it. */
export const MAX_CARD_BYTES = 30_000;
export const MAX_COMPONENTS = 200;
/** Levels of containers. */
export const MAX_NESTING = 5;

const CONTAINERS: ReadonlySet<Json | undefined> = new Set(['column_set', 'collapsible_panel']);

/** Every rule the card breaks; empty: Feishu takes it. */
export function checkCardRules(card: Json): Problem[] {
  return [...CARD(card, ''), ...sizeProblems(card), ...idProblems(card)];
}

function sizeProblems(card: Json): Problem[] {
  const problems: Problem[] = [];
  const bytes = Buffer.byteLength(JSON.stringify(card), 'utf8');
  if (bytes > MAX_CARD_BYTES)
    problems.push({ path: '', rule: `has ${bytes} bytes, at most ${MAX_CARD_BYTES} are allowed` });
  const components = objectsOf(card).filter((object) => typeof object['tag'] === 'string').length;
  if (components > MAX_COMPONENTS) {
    problems.push({ path: '', rule: `has ${components} components, at most ${MAX_COMPONENTS} are allowed` });
  }
  const levels = nesting(card);
  if (levels > MAX_NESTING) {
    problems.push({ path: '', rule: `nests ${levels} containers, at most ${MAX_NESTING} are allowed` });
  }
  return problems;
}

/** `element_id` must be unique in a card. */
function idProblems(card: Json): Problem[] {
  const ids = objectsOf(card).flatMap((object) =>
    typeof object['element_id'] === 'string' ? [object['element_id']] : [],
  );
  const repeated = new Set(ids.filter((id, index) => ids.indexOf(id) !== index));
  return [...repeated].map((id) => ({ path: '', rule: `uses the element_id "${id}" more than once` }));
}

function nesting(value: Json): number {
  const own = isObject(value) && CONTAINERS.has(value['tag']) ? 1 : 0;
  return own + childrenOf(value).reduce<number>((deepest, child) => Math.max(deepest, nesting(child)), 0);
}

export function objectsOf(value: Json): { readonly [key: string]: Json }[] {
  const own = isObject(value) ? [value] : [];
  return [...own, ...childrenOf(value).flatMap(objectsOf)];
}

function childrenOf(value: Json): readonly Json[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
}
