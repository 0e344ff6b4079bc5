/** Reads a JSON object of CONFIG_FILE key by key: known keys, formats, problems that name the place. */
import { type Format, tidy } from './formats.js';
import type { Findings } from './problems.js';

export interface ObjectReader {
  /** `apps[1]`, for messages. */
  readonly place: string;
  has(key: string): boolean;
  raw(key: string): unknown;
  /** undefined when absent, and when wrong (problem said). */
  read<T>(key: string, format: Format<T>): T | undefined;
  /** As `read`; its absence is a problem, too. */
  need<T>(key: string, format: Format<T>): T | undefined;
  problem(key: string, problem: string, accepted?: string): void;
}

/** null (problem said) when it is no object. Unknown keys are problems. */
export function readObject(
  value: unknown,
  place: string,
  knownKeys: readonly string[],
  findings: Findings,
): ObjectReader | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    findings.problem(place, 'is not an object', `an object with ${knownKeys.join(', ')}`);
    return null;
  }
  const fields = new Map<string, unknown>(Object.entries(value));
  for (const key of fields.keys()) {
    if (!knownKeys.includes(key)) {
      findings.problem(`${place}.${JSON.stringify(key)}`, 'is not a known key', knownKeys.join(', '));
    }
  }
  const problem = (key: string, text: string, accepted?: string) => findings.problem(`${place}.${key}`, text, accepted);
  const raw = (key: string): unknown => {
    const field = fields.get(key);
    return typeof field === 'string' ? tidy(field) : field;
  };
  const read = <T>(key: string, format: Format<T>): T | undefined => {
    if (!fields.has(key)) return undefined;
    const parsed = format.parse(raw(key));
    if (parsed.ok) return parsed.value;
    problem(key, parsed.problem, format.accepts);
    return undefined;
  };
  const need = <T>(key: string, format: Format<T>): T | undefined => {
    if (!fields.has(key)) problem(key, 'is missing', format.accepts);
    return read(key, format);
  };
  return { place, has: (key) => fields.has(key), raw, read, need, problem };
}

/** An array of `format`; its problem names the entry. */
export function arrayOf<T>(format: Format<T>, { atLeast = 0 } = {}): Format<readonly T[]> {
  const accepts = `a list, each entry ${format.accepts}`;
  return {
    accepts,
    parse(raw) {
      if (!Array.isArray(raw)) return { ok: false, problem: 'is not a list' };
      if (raw.length < atLeast) return { ok: false, problem: 'is empty' };
      const values: T[] = [];
      for (const [index, item] of raw.entries()) {
        const parsed = format.parse(item);
        if (!parsed.ok) return { ok: false, problem: `entry ${index + 1} ${parsed.problem}` };
        values.push(parsed.value);
      }
      return { ok: true, value: values };
    },
  };
}
