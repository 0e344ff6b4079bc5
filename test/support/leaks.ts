/** Looks for secrets in what a program has written: as they are, and as base64, hex or URL encoding would show them. */

import type { Simulator } from '../simulator/index.js';

/** Parts of a secret at least this long count as the secret. */
const PART = 10;

/**
 * Every secret Feishu has given out, by name. Of a consent link it is what nobody could guess: the query of a device
 * code's link, the state in the address of the authorize page.
 */
export function secretsOfFeishu(sim: Pick<Simulator, 'secretsByKind'>): Map<string, string> {
  const partOf = (link: string): string => new URL(link).searchParams.get('state') ?? link.slice(link.indexOf('?') + 1);
  return new Map(
    sim
      .secretsByKind()
      .map(({ kind, value }, i) => [`${kind} ${i}`, kind === 'verification_link' ? partOf(value) : value]),
  );
}

/** The names of the secrets that `text` holds, with the way it holds them. */
export function findLeaks(text: Buffer, secrets: ReadonlyMap<string, string>): string[] {
  const leaks: string[] = [];
  const haystack = text.toString('latin1');
  for (const [name, value] of secrets) {
    for (const [form, needles] of Object.entries(formsOf(value))) {
      if (needles.some((needle) => needle.length >= 6 && haystack.includes(needle))) leaks.push(`${name} as ${form}`);
    }
    const part = findPart(haystack, value);
    if (part !== null) leaks.push(`${name}: ${part} characters of it`);
  }
  return leaks;
}

function formsOf(value: string): Readonly<Record<string, readonly string[]>> {
  const bytes = Buffer.from(value, 'utf8');
  return {
    plain: [value],
    'URL encoding': [encodeURIComponent(value), encodeURIComponent(encodeURIComponent(value))],
    hex: [bytes.toString('hex'), bytes.toString('hex').toUpperCase()],
    base64: alignments(bytes, 'base64'),
    base64url: alignments(bytes, 'base64url'),
  };
}

/** base64 shows the same bytes in three ways, by where they start; ends that depend on neighbours are cut off. */
function alignments(bytes: Buffer, encoding: 'base64' | 'base64url'): string[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString(encoding)
      .replace(/=+$/, '');
    return encoded.slice(offset === 0 ? 0 : offset + 1, -2);
  });
}

/** Length of the first longer part of the secret found in the text; short secrets are looked for as a whole only. */
function findPart(haystack: string, value: string): number | null {
  if (value.length < PART * 2) return null;
  for (let start = 0; start + PART <= value.length; start += PART) {
    if (haystack.includes(value.slice(start, start + PART))) return PART;
  }
  return null;
}
