/**
 * Where raw values come from: the environment first, then CONFIG_FILE; each secret also from a file of its own
 * (`<NAME>_FILE`, `<name>_file`). Knows nothing of formats. Texts leave here tidy: without white space, byte order
 * mark or quotes around them. An empty variable counts as absent, except that an empty secret is a mistake.
 */
import { tidy } from './formats.js';
import type { Findings } from './problems.js';
import { VARIABLE_NAMES, VARIABLES, type VariableName } from './variables.js';

/** A file's text and permission bits. Throws what node:fs throws. */
export type ReadFile = (path: string) => { readonly text: string; readonly mode: number };

export type Environment = Readonly<Record<string, string | undefined>>;
export type FileContent = Readonly<Record<string, unknown>>;

export interface RawValue {
  readonly raw: unknown;
  /** The setting as the operator wrote it: `API_KEYS`, `API_KEYS_FILE`, `api_keys in CONFIG_FILE`. */
  readonly from: string;
  readonly source: 'environment' | 'file';
}

/** One place to look in: the environment or the file. */
interface Place {
  readonly source: RawValue['source'];
  /** How a variable is written there. */
  spell(name: string): string;
  describe(spelling: string): string;
  lookUp(spelling: string): unknown;
}

/** The raw value of each variable that is set anywhere. */
export function gatherRawValues(
  { env, file, readFile }: { env: Environment; file: FileContent; readFile: ReadFile },
  findings: Findings,
): ReadonlyMap<VariableName, RawValue> {
  const places: readonly Place[] = [
    {
      source: 'environment',
      spell: (name) => name,
      describe: (spelling) => spelling,
      lookUp: (spelling) => env[spelling] ?? lowerCaseProxy(env, spelling),
    },
    {
      source: 'file',
      spell: (name) => name.toLowerCase(),
      describe: (spelling) => `${spelling} in CONFIG_FILE`,
      lookUp: (spelling) => file[spelling],
    },
  ];
  const values = new Map<VariableName, RawValue>();
  for (const name of VARIABLE_NAMES) {
    for (const place of places) {
      const found = lookIn(place, name, readFile, findings);
      if (found === undefined) continue;
      values.set(name, found);
      break;
    }
  }
  return values;
}

/** Proxy variables are written in lower case as often as in upper case. */
function lowerCaseProxy(env: Environment, name: string): string | undefined {
  return name.endsWith('_PROXY') ? env[name.toLowerCase()] : undefined;
}

function lookIn(place: Place, name: VariableName, readFile: ReadFile, findings: Findings): RawValue | undefined {
  const spelling = place.spell(name);
  const { secret, url } = VARIABLES[name];
  const inline = place.lookUp(spelling);
  const twin = secret ? place.spell(`${name}_FILE`) : null;
  const twinPath = twin === null ? undefined : place.lookUp(twin);
  if (twin !== null && isSet(twinPath)) {
    const from = place.describe(twin);
    if (isSet(inline)) findings.problem(from, `is set, and ${place.describe(spelling)} too: set one of them`);
    const text = readSecretFile(twinPath, from, readFile, findings);
    return { raw: text, from, source: place.source };
  }
  const from = place.describe(spelling);
  if (inline === undefined || inline === null) return undefined;
  const raw = typeof inline === 'string' ? tidy(inline) : inline;
  if (raw === '') {
    // An empty password is never meant; an empty URL or number is how compose files say "not set".
    if (secret && !url) findings.problem(from, 'is empty: leave it out or give it a value');
    return secret && !url ? { raw: undefined, from, source: place.source } : undefined;
  }
  return { raw, from, source: place.source };
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

/** The tidy text of a secret's file; undefined (and a problem said) when it cannot be used. */
export function readSecretFile(
  path: unknown,
  from: string,
  readFile: ReadFile,
  findings: Findings,
): string | undefined {
  if (typeof path !== 'string') {
    findings.problem(from, 'is not a path', 'the path of a file that holds the secret');
    return undefined;
  }
  const content = readNamedFile(tidy(path), from, readFile, findings);
  if (content === undefined) return undefined;
  if (isWorldReadable(content.mode)) {
    findings.warn(`The file of ${from} can be read by every user of this machine: chmod 600 it`);
  }
  const text = tidy(content.text);
  if (text !== '') return text;
  findings.problem(from, 'names an empty file');
  return undefined;
}

export const isWorldReadable = (mode: number): boolean => (mode & 0o004) !== 0;

/** Reads a file that a setting names; says in plain words why it cannot. */
export function readNamedFile(
  path: string,
  from: string,
  readFile: ReadFile,
  findings: Findings,
): ReturnType<ReadFile> | undefined {
  try {
    return readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    findings.problem(from, `names a file that ${FILE_FAULTS[code] ?? `cannot be read (${code})`}`);
    return undefined;
  }
}

const FILE_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a folder',
};
