/**
 * What is logged of an error: a whitelist. HTTP clients hang request, headers and body on their errors, and loggers
 * that print all of an error print the app secret (FAILURES F-app-secret-in-logs).
 */

/** Shape of `err` in a log line. */
export interface ErrorFields {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  readonly feishu_code?: number;
  readonly log_id?: string;
  readonly stack?: string;
  readonly cause?: ErrorFields;
}

const MAX_CAUSES = 3;
const MAX_MESSAGE = 1000;
const MAX_STACK = 4000;

export function describeError(error: Error, causes = MAX_CAUSES): ErrorFields {
  const read = (name: string): unknown => readMember(error, name);
  const [code, feishuCode, logId, cause] = [read('code'), read('feishuCode'), read('logId'), read('cause')];
  const stack = read('stack');
  return {
    type: String(error.name || error.constructor.name),
    message: messageOf(error),
    ...(isCode(code) && { code }),
    ...(typeof feishuCode === 'number' && { feishu_code: feishuCode }),
    ...(typeof logId === 'string' && isCode(logId) && { log_id: logId }),
    ...(typeof stack === 'string' && { stack: clip(framesOf(stack), MAX_STACK) }),
    ...(cause instanceof Error && causes > 0 && { cause: describeError(cause, causes - 1) }),
  };
}

/** `ECONNREFUSED`, `config_invalid`, 230020; not the code of somebody's consent. */
function isCode(value: unknown): value is string | number {
  return typeof value === 'number' || (typeof value === 'string' && /^[A-Za-z0-9_.-]{1,64}$/.test(value));
}

/** Node's AggregateError (all addresses of a host refused) says nothing itself: its parts do. */
function messageOf(error: Error): string {
  const parts = error.message === '' && error instanceof AggregateError ? error.errors : [error];
  const texts = parts.slice(0, MAX_CAUSES).map((part: unknown) => (part instanceof Error ? part.message : 'unknown'));
  return clip(texts.join('; '), MAX_MESSAGE);
}

/** The message is there already, and may be long. */
function framesOf(stack: string): string {
  const first = stack.search(/^\s+at /m);
  return first === -1 ? '' : stack.slice(first).trim();
}

/** A getter may throw; a log call must not. */
function readMember(error: Error, name: string): unknown {
  try {
    return (error as unknown as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

const clip = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max)}…` : text);
