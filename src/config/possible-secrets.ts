/**
 * Every text that a setting holds and that may be a secret, right or wrong: what must be taken out of texts also when the
 * configuration has problems and therefore no `secrets` of its own (see load.ts).
 */
import { passwordsIn } from './addresses.js';
import { readConfigFile } from './config-file.js';
import { tidy } from './formats.js';
import { createFindings } from './problems.js';
import { type Environment, gatherRawValues, type ReadFile, readSecretFile } from './sources.js';
import { VARIABLES } from './variables.js';

export function possibleSecrets(env: Environment, readFile: ReadFile): readonly string[] {
  // What is wrong with them is said where they are loaded.
  const findings = createFindings();
  const file = readConfigFile(env, readFile, findings);
  const raw = gatherRawValues({ env, file, readFile }, findings);
  const values = [...raw].flatMap(([name, { raw: value }]) =>
    VARIABLES[name].secret ? textsIn(value).flatMap(VARIABLES[name].url ? partsOfUrl : partsOf) : [],
  );
  const apps: readonly unknown[] = Array.isArray(file['apps']) ? file['apps'] : [];
  const ofApps = apps.flatMap((app) => {
    if (typeof app !== 'object' || app === null) return [];
    const { app_secret: inline, app_secret_file: path } = app as Readonly<Record<string, unknown>>;
    const content = path === undefined ? undefined : readSecretFile(path, 'app_secret_file', readFile, findings);
    return [...textsIn(inline), ...textsIn(content)];
  });
  const ofClient = [env['AUTHD_API_KEY'] ?? ''].map(tidy);
  return [...values, ...ofApps, ...ofClient].filter((text) => text !== '');
}

const textsIn = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.flatMap(textsIn) : [];
};

/** Of what is no URL nobody can tell which part is the password. */
const partsOfUrl = (value: string): readonly string[] => (URL.canParse(value) ? passwordsIn(value) : [value]);

/** A word, and what stands behind the names of `name:secret` pairs. */
const partsOf = (value: string): readonly string[] => [
  value,
  ...value.split(',').map((pair) => pair.slice(pair.indexOf(':') + 1).trim()),
];
