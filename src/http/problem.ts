/**
 * Errors as problem documents (RFC 9457). Owns the mapping from AuthdError, Fastify's own errors and anything else
 * to status, headers and body. Nothing of an unknown error is shown: its message may hold what a library put there.
 */
import { STATUS_CODES } from 'node:http';
import { AuthdError, ERROR_TABLE, type ErrorCode, type ErrorEntry } from '../errors.js';
import { fieldErrors } from './validation-errors.js';

/** The codes a client of the API may meet (CONTRACT §5). All others stay inside and show as `internal_error`. */
export const API_CODES = [
  'invalid_request',
  'unauthorized',
  'forbidden',
  'app_id_required',
  'app_not_found',
  'session_not_found',
  'token_not_found',
  'insufficient_scope',
  'reauthorization_required',
  'open_id_of_other_app',
  'user_unreachable',
  'idempotency_conflict',
  'token_refresh_failed',
  'upstream_unavailable',
  'rate_limited',
  'payload_too_large',
  'internal_error',
] as const satisfies readonly ErrorCode[];
export type ApiCode = (typeof API_CODES)[number];

export const NEXT_STEPS = ['ask', 'wait', 'operator'] as const;

export const PROBLEM_TYPE = 'application/problem+json';

/** Seconds to wait when whoever refused did not say how long. */
const RETRY_AFTER: Partial<Record<ApiCode, number>> = { upstream_unavailable: 2, rate_limited: 1 };

export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ApiCode;
  readonly next?: string;
  readonly [member: string]: unknown;
}

export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ProblemBody;
}

const isApiCode = (code: ErrorCode): code is ApiCode => (API_CODES as readonly string[]).includes(code);

/** Any error as an answer. */
export function problemOf(error: unknown): Problem {
  return error instanceof AuthdError ? fromAuthdError(error) : (fromFastify(error) ?? OUR_FAULT);
}

/** Something HTTP itself has a status for, such as 405: code `invalid_request`, the status's own title. */
export function httpProblem(status: number, detail: string, headers: Readonly<Record<string, string>> = {}): Problem {
  return compose('invalid_request', status, STATUS_CODES[status] ?? 'Bad Request', detail, {}, headers);
}

function fromAuthdError(error: AuthdError): Problem {
  if (!isApiCode(error.code)) return OUR_FAULT;
  const entry: ErrorEntry = ERROR_TABLE[error.code];
  const retryAfter = error.retryAfterSeconds ?? RETRY_AFTER[error.code];
  const members = {
    ...(entry.next === undefined ? {} : { next: entry.next }),
    ...error.details,
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    ...(error.feishuCode === undefined ? {} : { feishu_code: error.feishuCode }),
    ...(error.logId === undefined ? {} : { log_id: error.logId }),
  };
  const headers: Record<string, string> =
    retryAfter === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfter))) };
  return compose(error.code, entry.status, entry.title, error.message, members, headers);
}

const { status: FAULT_STATUS, title: FAULT_TITLE, next: FAULT_NEXT } = ERROR_TABLE.internal_error;
const FAULT_DETAIL = 'This is a fault of ours; it is logged';
const OUR_FAULT = compose('internal_error', FAULT_STATUS, FAULT_TITLE, FAULT_DETAIL, { next: FAULT_NEXT }, {});

/** Fastify's error codes with an answer of their own; see node_modules/fastify/docs/Reference/Errors.md. */
const FASTIFY_DETAILS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'Bodies are JSON: send Content-Type: application/json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'The body is not valid JSON in UTF-8',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'The body is not as long as Content-Length says',
  FST_ERR_BAD_URL: 'The path is not validly percent-encoded',
  FST_ERR_MAX_PARAM_LENGTH: 'A part of the path is too long',
};

function fromFastify(error: unknown): Problem | null {
  if (!(error instanceof Error)) return null;
  const errors = fieldErrors(error);
  if (errors !== null) {
    const [first] = errors;
    const detail = first === undefined ? 'The request is not valid' : `${first.in}: ${first.field} ${first.message}`;
    return fromAuthdError(new AuthdError('invalid_request', detail, { details: { errors } }));
  }
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return fromAuthdError(new AuthdError('payload_too_large', 'The body is larger than this API takes'));
  }
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode > 499) return null;
  const detail = typeof code === 'string' ? FASTIFY_DETAILS[code] : undefined;
  return httpProblem(statusCode, detail ?? 'The request is not valid');
}

function compose(
  code: ApiCode,
  status: number,
  title: string,
  detail: string,
  members: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>>,
): Problem {
  const standard = { type: `urn:feishu-authd:${code}`, title, status, detail, code };
  // Twice: first for the order, last so that no detail replaces what RFC 9457 defines.
  return { status, headers, body: { ...standard, ...members, ...standard } };
}
