/**
 * Variables that look like ours and are not: a typing error must not silently mean a default, and a variable that
 * leaked in from a shell or an older release should be seen (FAILURES G-environment-kept-on-restart).
 */
import { CLIENT_VARIABLES } from './client-settings.js';
import type { Environment } from './sources.js';
import { VARIABLE_NAMES, VARIABLES } from './variables.js';

const KNOWN: readonly string[] = [
  'CONFIG_FILE',
  ...VARIABLE_NAMES,
  ...VARIABLE_NAMES.filter((name) => VARIABLES[name].secret).map((name) => `${name}_FILE`),
  // Of no effect here, and no mistake: the same shell may run the daemon and its command line.
  ...CLIENT_VARIABLES,
];

const OUR_PREFIX =
  /^(FEISHU|LARK|AUTH|AUTHD|OAUTH|CALLBACK_SERVER|HTTP|METRICS|API_KEYS?|REDIS|TOKEN|GRANT|STATE|WS|CARD|ROLES?|LOG|SHUTDOWN)(_|$)/;

/** What Kubernetes and Docker links put into every container beside a service named redis, auth, … */
const INJECTED_NAME = /_(SERVICE_(HOST|PORT).*|PORT_\d+_(TCP|UDP).*|ENV_.*)$/;
const INJECTED_VALUE = /^(tcp|udp):\/\//;

/** One sentence for each unknown variable; its value is not told. */
export function warnUnknownVariables(env: Environment): string[] {
  return Object.keys(env)
    .filter((name) => !KNOWN.includes(name) && !isInjected(name, env[name] ?? ''))
    .map((name) => ({ name, similar: closest(name) }))
    .filter(({ name, similar }) => OUR_PREFIX.test(name) || similar !== null)
    .map(({ name, similar }) => {
      const hint = similar === null ? '' : `; did you mean ${similar}?`;
      return `The environment variable ${name} is not known and has no effect${hint}`;
    })
    .sort();
}

const isInjected = (name: string, value: string): boolean => INJECTED_NAME.test(name) || INJECTED_VALUE.test(value);

/** A known name at most two typing errors away. Short names and other proxies (FTP_PROXY) are near by chance. */
function closest(name: string): string | null {
  if (name.length < 6 || name.endsWith('_PROXY')) return null;
  const ranked = KNOWN.map((known) => ({ known, distance: editDistance(name, known) }));
  const best = ranked.reduce((nearest, candidate) => (candidate.distance < nearest.distance ? candidate : nearest));
  return best.distance <= 2 ? best.known : null;
}

/** Levenshtein's distance: inserted, deleted and replaced characters. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [row, character] of [...from].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...to].entries()) {
      const replaced = (previous[column] ?? 0) + (character === other ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
