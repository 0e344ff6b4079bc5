/** CONFIG_FILE: one JSON object, known keys only. Its own text never appears in a message: it may hold secrets. */
import { tidy } from './formats.js';
import type { Findings } from './problems.js';
import { type Environment, type FileContent, isWorldReadable, type ReadFile, readNamedFile } from './sources.js';
import { FILE_ONLY, VARIABLE_NAMES, VARIABLES } from './variables.js';

const KNOWN_KEYS: ReadonlySet<string> = new Set([
  ...VARIABLE_NAMES.map((name) => name.toLowerCase()),
  ...VARIABLE_NAMES.filter((name) => VARIABLES[name].secret).map((name) => `${name.toLowerCase()}_file`),
  ...FILE_ONLY.map(({ name }) => name),
]);

/** The content of the file that CONFIG_FILE names; empty when there is none or it is unusable (problem said). */
export function readConfigFile(env: Environment, readFile: ReadFile, findings: Findings): FileContent {
  const path = tidy(env['CONFIG_FILE'] ?? '');
  if (path === '') return {};
  const file = readNamedFile(path, 'CONFIG_FILE', readFile, findings);
  if (file === undefined) return {};
  const content = parseObject(file.text, findings);
  for (const key of Object.keys(content).filter((name) => !KNOWN_KEYS.has(name))) {
    findings.problem(`${JSON.stringify(key)} in CONFIG_FILE`, 'is not a known key');
  }
  if (isWorldReadable(file.mode) && holdsSecret(content)) {
    findings.warn('CONFIG_FILE holds a secret and can be read by every user of this machine: chmod 600 it');
  }
  return content;
}

function parseObject(text: string, findings: Findings): FileContent {
  try {
    const content: unknown = JSON.parse(text.trim());
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content as FileContent;
    findings.problem('CONFIG_FILE', 'does not hold a JSON object', '{"http_port": 9780, …}');
  } catch (error) {
    // The parser's message quotes the text around the fault, which may be a secret: only the place is taken over.
    const place = /position \d+( \(line \d+ column \d+\))?/.exec((error as Error).message)?.[0];
    findings.problem('CONFIG_FILE', place === undefined ? 'is not JSON' : `is not JSON: the fault is at ${place}`);
  }
  return {};
}

function holdsSecret(content: FileContent): boolean {
  if (VARIABLE_NAMES.some((name) => VARIABLES[name].secret && content[name.toLowerCase()] !== undefined)) return true;
  const apps: unknown = content['apps'];
  return (
    Array.isArray(apps) && apps.some((app: unknown) => typeof app === 'object' && app !== null && 'app_secret' in app)
  );
}
