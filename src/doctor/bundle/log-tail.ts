/**
 * The last lines of a log file, made fit for strangers: what a field's name marks as secret goes, and so does what looks
 * like one or is one of ours. The daemon's own lines are clean already; the file may hold others.
 */
import { open } from 'node:fs/promises';
import { objectOf } from '../../domain/json-fields.js';
import { redactFields } from '../../telemetry/redaction.js';

const MAX_BYTES = 4 * 1_048_576;
const MAX_LINES = 5_000;

/** @throws what node:fs throws when the file cannot be read */
export async function readLogTail(path: string, scrub: (line: string) => string): Promise<string> {
  const lines = (await readEnd(path)).split('\n').filter((line) => line !== '');
  return lines
    .slice(-MAX_LINES)
    .map((line) => `${scrub(redactLine(line))}\n`)
    .join('');
}

/** From the first whole line of the last bytes on. */
async function readEnd(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - MAX_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const text = buffer.subarray(0, bytesRead).toString('utf8');
    return from === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } finally {
    await file.close();
  }
}

function redactLine(line: string): string {
  const fields = parse(line);
  if (fields === null) return line;
  const { err } = fields;
  return JSON.stringify(redactFields(err === undefined ? fields : { ...fields, err: withOpenCode(err) }));
}

/** The code of an error says what happened; a field of that name elsewhere may be the code of a consent. */
function withOpenCode(err: unknown): unknown {
  const { code, ...rest } = objectOf(err);
  const isName = typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code);
  return isName ? { ...rest, error_code: code } : err;
}

/** null: it is no JSON object. */
function parse(line: string): Readonly<Record<string, unknown>> | null {
  if (!line.startsWith('{')) return null;
  try {
    return objectOf(JSON.parse(line));
  } catch {
    return null;
  }
}
