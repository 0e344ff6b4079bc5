/** .env.example says what the code says, and can be used as it is. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { CONFIG_VARIABLES, VARIABLE_NAMES, VARIABLES } from '../../src/config/variables.js';
import { load, MINIMUM } from '../config/load-support.js';

interface Entry {
  readonly doc: string;
  readonly name: string;
  readonly value: string;
  /** Without the # before it. */
  readonly open: boolean;
}

const text = await readFile(new URL('../../.env.example', import.meta.url), 'utf8');
const entries: Entry[] = [...text.matchAll(/^# (.+)\n(#?)([A-Z_]+)=(.*)$/gm)].map(([, doc, mark, name, value]) => ({
  doc: doc ?? '',
  name: name ?? '',
  value: value ?? '',
  open: mark === '',
}));
const isSecret = (name: string): boolean => VARIABLE_NAMES.some((known) => known === name && VARIABLES[known].secret);

describe('.env.example', () => {
  it('has every variable with its default and meaning, in the order of the README', () => {
    const expected = CONFIG_VARIABLES.filter(({ name }) => name === name.toUpperCase()).map((variable) => ({
      doc: `${variable.doc}${isSecret(variable.name) ? ' (secret)' : ''}`,
      name: variable.name,
      value: variable.default,
      open: variable.name === 'FEISHU_APP_ID',
    }));
    assert.deepEqual(entries, expected);
  });

  it('holds nothing but comments and variables', () => {
    const others = text.split('\n').filter((line) => line !== '' && !/^(# |#[A-Z_]+=|[A-Z_]+=)/.test(line));
    assert.deepEqual(others, []);
  });

  it('changes nothing when every line is taken into use', () => {
    const env = Object.fromEntries(entries.map(({ name, value }) => [name, value]));
    // An empty secret is a mistake, so those are filled in; the rest is used as it stands.
    const { config, warnings } = load({ env: withoutEmptySecrets({ ...env, ...MINIMUM }) });
    const plain = load({ env: MINIMUM });
    assert.deepEqual(config, plain.config);
    assert.deepEqual(warnings, plain.warnings);
  });
});

const withoutEmptySecrets = (env: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter(([name, value]) => value !== '' || !isSecret(name)));
