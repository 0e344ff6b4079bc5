/**
 * The alert rules as shipped, by a strict reader of the little YAML they are written in: two spaces an indent, lists of
 * maps, plain and double-quoted scalars, blocks with `|`. Anything else is an error, so nothing is overlooked. Whether
 * Prometheus takes the file is promtool's to say.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

export interface AlertRule {
  readonly alert: string;
  readonly group: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export const RULES_FILE = new URL('../../ops/prometheus/feishu-authd.rules.yml', import.meta.url);

const RULE = 8;
/** Lines of a block may stand further in. */
const MEMBER = 10;
const OVERLOOKED = /^(?:#.*|groups:| {4}rules:)?$/;

type Fields = Record<string, string | Record<string, string>>;

export async function readRules(): Promise<AlertRule[]> {
  const lines = (await readFile(RULES_FILE, 'utf8')).split('\n');
  const rules: { readonly group: string; readonly fields: Fields }[] = [];
  let group = '';
  let open = '';
  for (const [i, line] of lines.entries()) {
    if (OVERLOOKED.test(line)) continue;
    const name = /^ {2}- name: (\S+)$/.exec(line)?.[1];
    const first = /^ {6}- (.*)$/.exec(line)?.[1];
    if (name !== undefined) group = name;
    else if (first !== undefined) rules.push({ group, fields: {} });
    if (name !== undefined) continue;
    const fields = rules.at(-1)?.fields;
    assert.ok(fields !== undefined, `line ${i + 1}: ${line}`);
    if (first === undefined && line.search(/\S/) >= MEMBER) addTo(fields, open, line.trim());
    else {
      assert.ok(first !== undefined || line.search(/\S/) === RULE, `line ${i + 1}: ${line}`);
      const [key, value] = keyAndValue(first ?? line.trim());
      open = key;
      fields[key] = value === '' ? {} : value.replace(/^\|$/, '');
    }
  }
  return rules.map(({ fields, group: name }) => toRule(fields, name));
}

/** A line of a block, or a member of a map. */
function addTo(fields: Fields, open: string, text: string): void {
  const into = fields[open];
  assert.ok(into !== undefined, text);
  if (typeof into === 'string') fields[open] = `${into}${text}\n`;
  else into[keyAndValue(text)[0]] = keyAndValue(text)[1];
}

function keyAndValue(text: string): [string, string] {
  const [, key = '', value = ''] = /^(\w+):(?: (.*))?$/.exec(text) ?? [];
  assert.notEqual(key, '', text);
  return [key, value.startsWith('"') ? String(JSON.parse(value)) : value];
}

function toRule(fields: Fields, group: string): AlertRule {
  assert.deepEqual(Object.keys(fields).sort(), ['alert', 'annotations', 'expr', 'for', 'labels']);
  const scalar = (name: string): string => {
    const value = fields[name];
    assert.ok(typeof value === 'string', name);
    return value.trim();
  };
  const map = (name: string): Record<string, string> => {
    const value = fields[name];
    assert.ok(typeof value === 'object', name);
    return value;
  };
  const [alert, expr, wait] = [scalar('alert'), scalar('expr'), scalar('for')];
  return { alert, group, expr, for: wait, labels: map('labels'), annotations: map('annotations') };
}
