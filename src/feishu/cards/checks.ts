/**
 * Small judgements of JSON values that combine into the shape of a card. A check reports every problem with its
 * place instead of stopping at the first.
 */
import { childPath, isObject, type Json, type JsonObject, type Problem } from './json.js';

export type Check = (value: Json, path: string) => readonly Problem[];

const fails = (path: string, rule: string): readonly Problem[] => [{ path, rule }];

export const boolean: Check = (value, path) => (typeof value === 'boolean' ? [] : fails(path, 'must be true or false'));

export const exactly =
  (expected: string | boolean): Check =>
  (value, path) =>
    value === expected ? [] : fails(path, `must be ${JSON.stringify(expected)}`);

export const filledString: Check = (value, path) =>
  typeof value === 'string' && value !== '' ? [] : fails(path, 'must be a string that is not empty');

export const oneOf =
  (...values: readonly string[]): Check =>
  (value, path) =>
    typeof value === 'string' && values.includes(value) ? [] : fails(path, `must be one of ${values.join(', ')}`);

export const matching =
  (pattern: RegExp, what: string): Check =>
  (value, path) =>
    typeof value === 'string' && pattern.test(value) ? [] : fails(path, `must be ${what}`);

export const integer =
  (min: number, max: number): Check =>
  (value, path) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
      ? []
      : fails(path, `must be a whole number from ${min} to ${max}`);

export const list =
  (item: Check, minLength = 0, maxLength = Number.POSITIVE_INFINITY): Check =>
  (value, path) => {
    if (!Array.isArray(value)) return fails(path, 'must be a list');
    const items: readonly Json[] = value;
    if (items.length < minLength) return fails(path, `must have at least ${minLength} entries`);
    if (items.length > maxLength) return fails(path, `must have at most ${maxLength} entries`);
    return items.flatMap((entry, index) => item(entry, childPath(path, index)));
  };

export type Attributes = Readonly<Record<string, Check>>;

/** An object with these attributes and no others: an unknown one is an error in card JSON 2.0. */
export const object =
  (required: Attributes, optional: Attributes = {}): Check =>
  (value, path) => {
    if (!isObject(value)) return fails(path, 'must be an object');
    const known = { ...required, ...optional };
    const missing = Object.keys(required)
      .filter((key) => value[key] === undefined)
      .flatMap((key) => fails(childPath(path, key), 'is missing'));
    return [...missing, ...Object.entries(value).flatMap(([key, entry]) => attribute(known, key, entry, path))];
  };

/** An object with any names, all values alike. */
export const record =
  (name: RegExp, entry: Check): Check =>
  (value, path) => {
    if (!isObject(value)) return fails(path, 'must be an object');
    return Object.entries(value).flatMap(([key, item]) => [
      ...(name.test(key) ? [] : fails(childPath(path, key), `is no name for here (${name.source})`)),
      ...entry(item, childPath(path, key)),
    ]);
  };

function attribute(known: Attributes, key: string, value: Json, path: string): readonly Problem[] {
  const check = Object.hasOwn(known, key) ? known[key] : undefined;
  return check === undefined
    ? fails(childPath(path, key), 'is no attribute Feishu knows here')
    : check(value, childPath(path, key));
}

/** An object whose `tag` says which of these shapes it has. */
export const tagged =
  (shapes: () => Readonly<Record<string, Check>>): Check =>
  (value, path) => {
    const tag = isObject(value) ? value['tag'] : undefined;
    if (typeof tag !== 'string') return fails(path, 'must be a component with a tag');
    const shape = Object.hasOwn(shapes(), tag) ? shapes()[tag] : undefined;
    return shape === undefined
      ? fails(childPath(path, 'tag'), `"${tag}" is no component for here`)
      : shape(value, path);
  };

/** Also satisfies a judgement of the whole object, after its shape is right. */
export const also =
  (shape: Check, judge: (value: JsonObject) => string | null): Check =>
  (value, path) => {
    const problems = shape(value, path);
    if (problems.length > 0 || !isObject(value)) return problems;
    const rule = judge(value);
    return rule === null ? [] : fails(path, rule);
  };
