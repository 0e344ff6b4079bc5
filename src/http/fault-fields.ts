/** Of an error that is our fault, what a log line may hold: names, codes and places in the code; no secret fits in. */
import { AuthdError } from '../errors.js';

export function faultFields(error: unknown): Readonly<Record<string, string | undefined>> {
  const { name, code, stack } = error instanceof Error ? (error as Error & { code?: unknown }) : {};
  const frames = stack?.split('\n').filter((line) => line.startsWith('    at '));
  return {
    error_name: name,
    error_code: typeof code === 'string' ? code : undefined,
    // The messages of AuthdError are ours and safe; a library's may quote a command with all its arguments.
    detail: error instanceof AuthdError ? error.message : undefined,
    stack: frames?.slice(0, 10).join('\n'),
  };
}
