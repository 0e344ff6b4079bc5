/**
 * Keeps a fault that repeats from filling the disk (FAILURES E-error-log-flood): the first occurrence is logged at
 * once, then at most one line an interval, with the number of occurrences since the line before.
 */
import type { Logger } from 'pino';

export interface FloodGate {
  /** `key` names the fault: event and what it is about, without anything that changes from one to the next. */
  warn(key: string, fields: Readonly<Record<string, unknown>>, message: string): void;
  error(key: string, fields: Readonly<Record<string, unknown>>, message: string): void;
  /** The fault is over: says what was left unsaid; its next occurrence counts as the first. */
  clear(key: string): void;
}

export interface FloodGateDeps {
  readonly logger: Logger;
  /** Milliseconds; any origin. */
  readonly clock: () => number;
  /** Milliseconds between two lines of one fault. */
  readonly everyMs: number;
}

type Level = 'warn' | 'error';

interface Fault {
  loggedAt: number;
  /** Occurrences since the last line. */
  unsaid: number;
  say(repeated: number): void;
}

/** More distinct faults than that at once are not distinct: the oldest is forgotten. */
const MAX_FAULTS = 1000;

export function createFloodGate({ logger, clock, everyMs }: FloodGateDeps): FloodGate {
  const faults = new Map<string, Fault>();

  const occur = (level: Level, key: string, fields: Readonly<Record<string, unknown>>, message: string): void => {
    const say = (repeated: number): void => logger[level](repeated > 0 ? { ...fields, repeated } : fields, message);
    const known = faults.get(key);
    if (known !== undefined && clock() - known.loggedAt < everyMs) {
      known.unsaid += 1;
      known.say = say;
      return;
    }
    say(known === undefined ? 0 : known.unsaid + 1);
    // Re-inserted, so that the first of the map is the one not heard of for longest.
    faults.delete(key);
    faults.set(key, { loggedAt: clock(), unsaid: 0, say });
    const [oldest] = faults.keys();
    if (faults.size > MAX_FAULTS && oldest !== undefined) faults.delete(oldest);
  };

  return {
    warn: (key, fields, message) => occur('warn', key, fields, message),
    error: (key, fields, message) => occur('error', key, fields, message),
    clear(key) {
      const fault = faults.get(key);
      if (fault !== undefined && fault.unsaid > 0) fault.say(fault.unsaid);
      faults.delete(key);
    },
  };
}
