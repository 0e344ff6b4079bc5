/**
 * What went wrong lately, for the status page: lines of the log that warn or complain, as they were written (nothing
 * secret is left in them by then), counted by what they say. Bounded; owns no file and no clock.
 */
import type { Trouble } from '../domain/fleet.js';
import { numberOf, objectOf, textOf } from '../domain/json-fields.js';

export interface LastTroubles {
  /** A line of the log at `warn` or above. */
  note(line: string): void;
  /** The newest first. */
  list(): readonly Trouble[];
}

/** Distinct ones. */
const MOST = 20;
const LONGEST_MESSAGE = 300;

export function createLastTroubles(): LastTroubles {
  /** The one that was met last stands last. */
  const known = new Map<string, Trouble>();
  return {
    note(line) {
      const trouble = parse(line);
      if (trouble === null) return;
      const key = [trouble.event, trouble.appId, trouble.feishuCode, trouble.cause].join(' ');
      const before = known.get(key);
      known.delete(key);
      known.set(key, {
        ...trouble,
        count: trouble.count + (before?.count ?? 0),
        firstAt: before?.firstAt ?? trouble.firstAt,
      });
      const [oldest] = known.keys();
      if (known.size > MOST && oldest !== undefined) known.delete(oldest);
    },
    list: () => [...known.values()].reverse(),
  };
}

/** null: not a line of the flow. */
function parse(line: string): Trouble | null {
  const fields = objectOf(parseJson(line));
  const event = textOf(fields['event']);
  const level = textOf(fields['level']);
  const at = Date.parse(textOf(fields['time']) ?? '');
  if (event === null || !isTrouble(level) || Number.isNaN(at)) return null;
  const error = objectOf(fields['err']);
  // `reason` is redacted in lines (CONTRACT §8): these are the names under which a line says why.
  const causes = [fields['cause'], fields['failure_reason'], fields['error_code'], error['code']];
  return {
    level,
    event,
    appId: textOf(fields['app_id']),
    cause: causes.map(textOf).find((cause) => cause !== null) ?? null,
    feishuCode: numberOf(fields['feishu_code']) ?? numberOf(error['feishu_code']),
    logId: textOf(fields['log_id']) ?? textOf(error['log_id']),
    message: (textOf(fields['msg']) ?? '').slice(0, LONGEST_MESSAGE),
    // A line may stand for several occurrences (flood-gate.ts).
    count: numberOf(fields['repeated']) ?? 1,
    firstAt: at,
    lastAt: at,
  };
}

const isTrouble = (level: string | null): level is Trouble['level'] =>
  level === 'warn' || level === 'error' || level === 'fatal';

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
