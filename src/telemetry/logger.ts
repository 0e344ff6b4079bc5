/**
 * The logger: pino, one JSON object a line on standard output, written synchronously, so that the last line before
 * an exit is never lost, also into a slow pipe (FAILURES G-fatal-line-lost). Secrets are kept out three times: by
 * the names of fields (redaction.ts), by their looks (patterns.ts) and by their known values (scrubber.ts).
 */
import { createRequire } from 'node:module';
import { isatty } from 'node:tty';
import pino, { type Bindings, type ChildLoggerOptions, type Logger } from 'pino';
import type { Config } from '../config/config.js';
import { scrubPatterns } from './patterns.js';
import { redactFields } from './redaction.js';
import { createScrubber, type Scrubber } from './scrubber.js';

export type { Logger };

export interface LineSink {
  /** One line, its line end included. */
  write(line: string): void;
}

export interface LoggerOptions {
  readonly level: Config['log']['level'];
  readonly format: Config['log']['format'];
  /** Knows the secrets by value; add those of the configuration before anything is logged. */
  readonly scrubber?: Scrubber;
  /** Default: standard output. */
  readonly destination?: LineSink;
  /** Is told each line at `warn` or above as JSON, as clean as it is written. */
  readonly onTrouble?: (line: string) => void;
}

const STDOUT = 1;
/** How pino begins a line with the options below. */
const TROUBLE = /^\{"level":"(warn|error|fatal)"/;

export function createLogger(options: LoggerOptions): Logger {
  const { destination, format, level, onTrouble, scrubber = createScrubber() } = options;
  const isTerminal = destination === undefined && isatty(STDOUT);
  const pretty = format === 'pretty' || (format === 'auto' && isTerminal);
  const sink = destination ?? pino.destination({ fd: STDOUT, sync: true });
  const logger = pino(
    {
      level,
      // Whoever runs several processes has their collector say which one wrote; pid and host only lengthen lines.
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redactFields },
      serializers: { err: (value: unknown) => value },
      hooks: {
        streamWrite(line) {
          const clean = scrubber.scrub(scrubPatterns(line));
          if (onTrouble !== undefined && TROUBLE.test(clean)) onTrouble(clean);
          return clean;
        },
      },
    },
    pretty ? prettySink(sink, isTerminal) : sink,
  );
  return withRedactedBindings(logger);
}

/** pino formats the fields of a line but not those of a child logger. Children inherit the method. */
function withRedactedBindings(logger: Logger): Logger {
  const makeChild: (this: Logger, bindings: Bindings, options?: ChildLoggerOptions) => Logger = logger.child;
  return Object.assign(logger, {
    child(this: Logger, bindings: Bindings, options?: ChildLoggerOptions): Logger {
      return makeChild.call(this, redactFields(bindings), options);
    },
  });
}

/**
 * pino-pretty as a function, in this process: as a stream it would hold lines back at an exit. Loaded only where it
 * is wanted, production has no use for its memory.
 */
function prettySink(sink: LineSink, colorize: boolean): LineSink {
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty');
  const format = prettyFactory({ colorize, translateTime: 'HH:MM:ss.l', singleLine: true });
  return { write: (line) => sink.write(format(line)) };
}
