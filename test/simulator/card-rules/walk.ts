/**
 * Walks a JSON 2.0 card along the attribute tables and collects what breaks them, with paths as Feishu prints them.
 * Owns: tables applied to every object, counting, nesting, element ids, forms. Does not own: the answer codes
 * (card-rules.ts). Limits: 200 objects with a tag, five levels of containers (FEISHU.md §5.1).
 */
import { COMPONENTS, CONTAINERS, INTERACTIVE, SHAPES, type Shape } from './attributes.js';
import { behaviorViolations } from './behaviors.js';
import { isObject, judgeValue, type Rule } from './rule.js';
import { SUB_CODES, type Violation } from './violation.js';

export const MAX_ELEMENTS = 200;
export const MAX_NESTING = 5;
const MAX_HEADER_TAGS = 3;

interface Place {
  readonly path: string;
  /** Containers around it. */
  readonly depth: number;
  readonly inForm: boolean;
}

/** Everything that is wrong with the card, in the order met; empty when it is fine. */
export function walkCard(card: Record<string, unknown>): readonly Violation[] {
  return new CardWalk().walk(card);
}

/** One walk over one card: what it has counted and seen so far. */
class CardWalk {
  readonly #violations: Violation[] = [];
  readonly #elementIds = new Set<string>();
  #elements = 0;

  walk(card: Record<string, unknown>): readonly Violation[] {
    this.#object(card, tableOf('card'), { path: 'ROOT', depth: 0, inForm: false });
    if (this.#elements > MAX_ELEMENTS) {
      const detail = `${this.#elements} elements, at most ${MAX_ELEMENTS}`;
      this.#violations.push({ subCode: SUB_CODES.tooManyElements, detail });
    }
    return this.#violations;
  }

  #report(subCode: number, detail: string, place: Place): void {
    this.#violations.push({ subCode, detail: `${detail}, path: ${place.path}` });
  }

  #object(object: Record<string, unknown>, table: Shape, place: Place): void {
    for (const name of table.required) {
      if (object[name] === undefined) this.#report(SUB_CODES.badJson, `missing property, property: ${name}`, place);
    }
    for (const [name, value] of Object.entries(object)) {
      const rule = Object.hasOwn(table.attributes, name) ? table.attributes[name] : undefined;
      if (rule) this.#attribute(name, rule, value, { ...place, path: `${place.path} -> ${name}` });
      else if (!table.open) this.#report(SUB_CODES.badJson, `unknown property, property: ${name}`, place);
    }
  }

  #attribute(name: string, rule: Rule, value: unknown, place: Place): void {
    const problem = judgeValue(rule, value);
    if (problem !== null) {
      this.#report(subCodeOf(name), `${problem}, property: ${name}`, place);
      return;
    }
    if (rule.kind === 'shape') this.#object(asObject(value), tableOf(rule.shape), place);
    if (rule.kind === 'text') this.#component(value, place, rule.tags);
    if (rule.kind === 'elements' || rule.kind === 'shapes') this.#list(rule, asList(value), place);
    if (name === 'text_tag_list' && asList(value).length > MAX_HEADER_TAGS) {
      this.#report(SUB_CODES.badJson, `more than ${MAX_HEADER_TAGS} text tags`, place);
    }
  }

  #list(rule: Rule & { kind: 'elements' | 'shapes' }, items: readonly unknown[], place: Place): void {
    for (const [index, item] of items.entries()) {
      const at = { ...place, path: `${place.path} -> [${index}]` };
      if (rule.kind === 'elements') this.#component(item, at, rule.only);
      else if (isObject(item)) this.#object(item, tableOf(rule.shape), at);
      else this.#report(SUB_CODES.badJson, 'expected an object', at);
    }
  }

  #component(value: unknown, at: Place, only?: readonly string[]): void {
    if (!isObject(value) || typeof value['tag'] !== 'string') {
      this.#report(SUB_CODES.badJson, 'a component needs a tag', at);
      return;
    }
    const tag = value['tag'];
    const place = { ...at, path: `${at.path}(tag: ${tag})` };
    const table = Object.hasOwn(COMPONENTS, tag) ? COMPONENTS[tag] : undefined;
    if (!table || (only ? !only.includes(tag) : PARTS.has(tag))) {
      this.#report(SUB_CODES.badTag, `unsupported tag ${tag}`, place);
      return;
    }
    this.#elements += 1;
    this.#elementId(value['element_id'], place);
    this.#violations.push(...behaviorViolations(value, place.path), ...mentionViolations(value, place.path));
    const depth = this.#nesting(value, tag, place);
    this.#object(value, table, { path: place.path, depth, inForm: place.inForm || tag === 'form' });
  }

  /** @returns the depth for what is inside */
  #nesting(value: Record<string, unknown>, tag: string, place: Place): number {
    const depth = place.depth + (CONTAINERS.has(tag) ? 1 : 0);
    // Reported once, at the first container that is too deep.
    if (CONTAINERS.has(tag) && depth === MAX_NESTING + 1) {
      this.#report(SUB_CODES.badJson, `containers nest more than ${MAX_NESTING} levels`, place);
    }
    if (tag === 'form' && place.depth > 0) {
      this.#report(SUB_CODES.badJson, 'a form must be at the root of the body', place);
    }
    if (place.inForm && INTERACTIVE.has(tag) && (value['name'] ?? '') === '') {
      this.#report(SUB_CODES.namelessInForm, 'empty name', place);
    }
    return depth;
  }

  #elementId(id: unknown, place: Place): void {
    if (typeof id !== 'string') return;
    if (this.#elementIds.has(id)) this.#report(SUB_CODES.duplicateElementId, `element_id ${id}`, place);
    this.#elementIds.add(id);
  }
}

/** Parts of other components that cannot stand in a list of elements by themselves. */
const PARTS: ReadonlySet<string> = new Set(['column', 'text_tag', 'plain_text', 'lark_md']);

/** `<at id=…>` with nothing in it; whether the id exists is the simulator's own question. */
function mentionViolations(component: Record<string, unknown>, path: string): Violation[] {
  const texts = [component['content'], ...Object.values(asObject(component['i18n_content']))];
  const empty = texts.some((text) => typeof text === 'string' && /<at\s+id=(?:''|""|>|\s)/.test(text));
  return empty && component['tag'] !== 'plain_text'
    ? [{ subCode: SUB_CODES.badUserId, detail: `mention without an id, path: ${path}` }]
    : [];
}

const subCodeOf = (attribute: string): number => {
  if (attribute === 'img_key') return SUB_CODES.badImageKey;
  return attribute === 'update_multi' ? SUB_CODES.notShared : SUB_CODES.badJson;
};

const tableOf = (name: string): Shape => SHAPES[name] ?? { required: [], attributes: {}, open: true };
const asObject = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {});
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
