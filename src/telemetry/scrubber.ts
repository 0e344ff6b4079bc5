/**
 * Takes known secrets out of text, whole and in part: wherever 8 or more characters of one stand in a row, in the
 * forms in which text carries secrets (as they are, JSON-escaped, URL-encoded, base64 at any alignment, hex).
 * The last guard before a log line leaves (FAILURES F-redaction-by-prefix); it knows values, not meanings.
 *
 * How: of each form every fifth 4-character piece is indexed. A run of 8 contains one of those pieces in full, so
 * looking each 4 characters of the text up finds every run; a small table of hashes spares nearly all look-ups.
 */

export interface Scrubber {
  /** From now on. Values under 6 characters are ignored: they would turn words into holes. */
  add(secret: string): void;
  scrub(text: string): string;
}

/** What stands in the place of a secret. */
export const PLACEHOLDER = '[secret]';

const SHORTEST_RUN = 8;
const SHORTEST_SECRET = 6;
const PIECE = 4;
const STRIDE = SHORTEST_RUN - PIECE + 1;
const HASH_BITS = 16;
const HASHES = 2 ** HASH_BITS;
/** Longer values are known as they are and JSON-escaped only, to bound memory. */
const LONGEST_TO_ENCODE = 256;

interface Anchor {
  readonly form: string;
  readonly offset: number;
}

interface Run {
  readonly start: number;
  readonly end: number;
}

/** `capacity`: how many values are known at most; the oldest is forgotten first. */
export function createScrubber({ capacity = 1000 } = {}): Scrubber {
  const known = new Map<string, readonly string[]>();
  const index = new Map<string, Anchor[]>();
  const hashCounts = new Uint32Array(HASHES);

  const forget = (secret: string): void => {
    for (const form of known.get(secret) ?? []) {
      for (const { piece, hash } of piecesOf(form)) {
        const left = (index.get(piece) ?? []).filter((anchor) => anchor.form !== form);
        if (left.length === 0) index.delete(piece);
        else index.set(piece, left);
        hashCounts[hash] = (hashCounts[hash] ?? 1) - 1;
      }
    }
    known.delete(secret);
  };

  /** The longest run of a known secret around the 4 characters at `position`. */
  const runAt = (text: string, position: number): Run | null => {
    let longest: Run | null = null;
    for (const anchor of index.get(text.slice(position, position + PIECE)) ?? []) {
      const run = extend(text, position, anchor);
      const enough = Math.min(SHORTEST_RUN, anchor.form.length);
      if (run.end - run.start < enough) continue;
      if (longest === null || run.end - run.start > longest.end - longest.start) longest = run;
    }
    return longest;
  };

  return {
    add(secret) {
      if (secret.length < SHORTEST_SECRET || known.has(secret)) return;
      const forms = formsOf(secret);
      known.set(secret, forms);
      for (const form of forms) {
        for (const { piece, hash, offset } of piecesOf(form)) {
          const anchors = index.get(piece);
          if (anchors === undefined) index.set(piece, [{ form, offset }]);
          else anchors.push({ form, offset });
          hashCounts[hash] = (hashCounts[hash] ?? 0) + 1;
        }
      }
      const [oldest] = known.keys();
      if (known.size > capacity && oldest !== undefined) forget(oldest);
    },

    scrub(text) {
      if (known.size === 0) return text;
      let clean = '';
      let copied = 0;
      let hash = 0;
      for (let last = 0; last < text.length; last++) {
        hash = rolled(hash, text.charCodeAt(last));
        const position = last - PIECE + 1;
        if (hashCounts[hash] === 0 || position < copied) continue;
        const found = runAt(text, position);
        if (found === null) continue;
        const run = widenOverEscapes(text, found);
        clean += `${text.slice(copied, Math.max(copied, run.start))}${PLACEHOLDER}`;
        copied = run.end;
        last = run.end - 1;
      }
      return copied === 0 ? text : clean + text.slice(copied);
    },
  };
}

function extend(text: string, position: number, { form, offset }: Anchor): Run {
  let before = 0;
  while (before < offset && before < position && form[offset - before - 1] === text[position - before - 1]) before++;
  let length = PIECE;
  while (offset + length < form.length && form[offset + length] === text[position + length]) length++;
  return { start: position - before, end: position + length };
}

/** Text is mostly a line of JSON, which must stay one: half an escape (`\` alone) would break it. */
function widenOverEscapes(text: string, { start, end }: Run): Run {
  const opens = (position: number): boolean => {
    let count = 0;
    while (text[position - count - 1] === '\\') count++;
    return count % 2 === 1;
  };
  return { start: opens(start) ? start - 1 : start, end: opens(end) ? end + 1 : end };
}

/**
 * The hash of the last 4 characters, from that of the 4 ending one character earlier: what is older has been shifted
 * out. It runs for every character of every line.
 */
function rolled(hash: number, code: number): number {
  return ((hash << (HASH_BITS / PIECE)) ^ code) & (HASHES - 1);
}

function hashOf(piece: string): number {
  let hash = 0;
  for (let i = 0; i < PIECE; i++) hash = rolled(hash, piece.charCodeAt(i));
  return hash;
}

function piecesOf(form: string): { piece: string; hash: number; offset: number }[] {
  const pieces: { piece: string; hash: number; offset: number }[] = [];
  for (let offset = 0; offset + PIECE <= form.length; offset += STRIDE) {
    const piece = form.slice(offset, offset + PIECE);
    pieces.push({ piece, hash: hashOf(piece), offset });
  }
  return pieces;
}

function formsOf(secret: string): string[] {
  const plain = [secret, JSON.stringify(secret).slice(1, -1)];
  if (secret.length > LONGEST_TO_ENCODE) return [...new Set(plain)];
  const hex = Buffer.from(secret).toString('hex');
  const base64 = [0, 1, 2].map((shift) => base64Inside(secret, shift));
  const base64Url = base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'));
  const forms = [...plain, encodeURIComponent(secret), hex, hex.toUpperCase(), ...base64, ...base64Url];
  return [...new Set(forms)].filter((form) => form.length >= SHORTEST_SECRET);
}

/** What the base64 of a longer text shows of the secret when it begins `shift` bytes after a group of three. */
function base64Inside(secret: string, shift: number): string {
  const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)]);
  const mixedAtStart = Math.ceil((shift * 8) / 6);
  const whole = Math.floor((bytes.length * 8) / 6);
  return bytes.toString('base64').slice(mixedAtStart, whole);
}
