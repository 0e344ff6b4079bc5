/** Loads configurations from plain data: environment variables and files are given as objects. */
import assert from 'node:assert/strict';
import { type LoadedConfig, loadConfig } from '../../src/config/load.js';
import type { ConfigProblem } from '../../src/config/problems.js';
import { AuthdError } from '../../src/errors.js';

export const APP_ID = 'cli_0123456789abcdef';
export const OTHER_APP_ID = 'cli_fedcba9876543210';
export const APP_SECRET = 'QkRzYmVmb3JlVGhlTW9ybmluZ1N0';
export const KEY = Buffer.from('0123456789abcdefghijklmnopqrstuv').toString('base64');
export const API_SECRET = 'n8Yq2vT5wX7zB3dF6gH9jK1mP4rS0uVc';

/** The least that starts. */
export const MINIMUM = {
  FEISHU_APP_ID: APP_ID,
  FEISHU_APP_SECRET: APP_SECRET,
  TOKEN_ENCRYPTION_KEYS: `k1:${KEY}`,
};

export interface Given {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Content of CONFIG_FILE: JSON of an object, or text as it is. */
  readonly file?: unknown;
  /** Other files by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Permission bits of all files. */
  readonly mode?: number;
}

/** Loads exactly what is given, no minimum added. */
export function load({ env = {}, file, files = {}, mode = 0o600 }: Given): LoadedConfig {
  const texts = new Map(Object.entries(files));
  if (file !== undefined) texts.set('/etc/authd.json', typeof file === 'string' ? file : JSON.stringify(file));
  return loadConfig({
    env: file === undefined ? env : { CONFIG_FILE: '/etc/authd.json', ...env },
    readFile: (path) => {
      const text = texts.get(path);
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return { text, mode };
    },
  });
}

/** Loads the minimum with changes; `undefined` takes a variable away. */
export const loadWith = (env: Given['env'], rest: Omit<Given, 'env'> = {}): LoadedConfig =>
  load({ ...rest, env: { ...MINIMUM, ...env } });

/** The error of a configuration that must be refused. */
export function refusalOf(action: () => unknown): AuthdError {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof AuthdError, `not an AuthdError: ${String(error)}`);
    assert.equal(error.code, 'config_invalid');
    return error;
  }
  return assert.fail('the configuration was accepted');
}

export const problemsOf = (action: () => unknown): readonly ConfigProblem[] =>
  refusalOf(action).details['problems'] as readonly ConfigProblem[];

export const variablesOf = (action: () => unknown): string[] => problemsOf(action).map(({ variable }) => variable);
