/** A logger that writes to memory, and its lines. */
import { createLogger, type Logger } from '../../src/telemetry/logger.js';
import { createScrubber, type Scrubber } from '../../src/telemetry/scrubber.js';

export interface Recording {
  readonly logger: Logger;
  readonly scrubber: Scrubber;
  readonly lines: readonly string[];
  /** The last line as JSON. */
  last(): Record<string, unknown>;
}

export function recordLog({
  level = 'trace',
  format = 'json',
}: Partial<Parameters<typeof createLogger>[0]> = {}): Recording {
  const lines: string[] = [];
  const scrubber = createScrubber();
  const logger = createLogger({ level, format, scrubber, destination: { write: (line) => lines.push(line) } });
  return { logger, scrubber, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') as Record<string, unknown> };
}

/** The first run of 8 characters of `secret` that `text` contains. */
export function leakOf(secret: string, text: string): string | undefined {
  return Array.from({ length: Math.max(secret.length - 7, 0) }, (_, at) => secret.slice(at, at + 8)).find((run) =>
    text.includes(run),
  );
}
