/** A pino logger at trace level whose lines a test can read, and wait for. */
import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';

export interface LogLine {
  readonly level: number;
  readonly event?: string;
  readonly msg?: string;
  readonly [field: string]: unknown;
}

export const WARN = 40;
export const ERROR = 50;

export interface CapturedLog {
  readonly logger: Logger;
  readonly lines: LogLine[];
  /** Everything written, as it was written. */
  text(): string;
  /** Lines of that event. */
  of(event: string): LogLine[];
  /** The first line that fits, now or later. */
  find(fits: (line: LogLine) => boolean, timeoutMs?: number): Promise<LogLine>;
}

export function captureLog(): CapturedLog {
  const lines: LogLine[] = [];
  const raw: string[] = [];
  const watchers = new Set<(line: LogLine) => void>();
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const text = chunk.toString('utf8');
      raw.push(text);
      const line = JSON.parse(text) as LogLine;
      lines.push(line);
      for (const watcher of [...watchers]) watcher(line);
      done();
    },
  });

  return {
    logger: pino({ level: 'trace' }, sink),
    lines,
    text: () => raw.join(''),
    of: (event) => lines.filter((line) => line.event === event),
    find(fits, timeoutMs = 20_000) {
      const known = lines.find(fits);
      if (known) return Promise.resolve(known);
      return new Promise((resolve, reject) => {
        const stop = (): void => {
          clearTimeout(timer);
          watchers.delete(watcher);
        };
        const watcher = (line: LogLine): void => {
          if (!fits(line)) return;
          stop();
          resolve(line);
        };
        const timer = setTimeout(() => {
          stop();
          reject(new Error(`no such log line within ${timeoutMs} ms; there were: ${raw.join('')}`));
        }, timeoutMs);
        watchers.add(watcher);
      });
    },
  };
}
