/**
 * The SDK's log lines as ours: pino `debug`, event `sdk.log`, scrubbed. What operators need to know of a connection is
 * said by the supervisor; the SDK says "ws client ready" after failures too (FEISHU.md §2.6), so nothing it says is
 * louder than debug.
 */
import type { Logger } from 'pino';
import { scrubValue } from './scrub.js';

/** The shape the SDK wants; it hands over one array per line. */
export interface SdkLogger {
  error(...parts: unknown[]): void;
  warn(...parts: unknown[]): void;
  info(...parts: unknown[]): void;
  debug(...parts: unknown[]): void;
  trace(...parts: unknown[]): void;
}

export function createSdkLogger(logger: Logger, fields: Readonly<Record<string, string>>): SdkLogger {
  const at =
    (sdkLevel: string) =>
    (...parts: unknown[]): void => {
      logger.debug({ event: 'sdk.log', sdk_level: sdkLevel, ...fields }, scrubValue(parts));
    };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug'), trace: at('trace') };
}
