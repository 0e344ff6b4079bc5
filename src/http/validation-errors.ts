/**
 * What is wrong with a request, field by field: Ajv's errors in the words of the API. Values are never repeated
 * (they may be secrets that were put in the wrong place), names only as far as they were understood.
 */
import { AuthdError } from '../errors.js';

export type RequestPart = 'body' | 'query' | 'path' | 'headers';

export interface FieldError {
  readonly in: RequestPart;
  /** `ttl_seconds`, `scopes.3`, `metadata.ticket`; `(all)` for the part as a whole. */
  readonly field: string;
  /** Continues the field's name: `must be integer`. */
  readonly message: string;
}

/** allErrors lists everything: a hostile body must not make a large answer. */
const MAX_ERRORS = 20;
const MAX_FIELD_LENGTH = 100;

const PARTS: Readonly<Record<string, RequestPart>> = {
  body: 'body',
  querystring: 'query',
  params: 'path',
  headers: 'headers',
};

interface AjvError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

/** The errors Fastify collected when it validated a request, or null when `error` is none of that kind. */
export function fieldErrors(error: Error): readonly FieldError[] | null {
  const { validation, validationContext } = error as { validation?: readonly AjvError[]; validationContext?: string };
  if (!Array.isArray(validation)) return null;
  const part = PARTS[validationContext ?? ''] ?? 'body';
  return validation.slice(0, MAX_ERRORS).map((found) => describe(part, found));
}

/** For checks that a schema cannot make. */
export function invalidField(part: RequestPart, field: string, message: string): AuthdError {
  const errors: FieldError[] = [{ in: part, field, message }];
  return new AuthdError('invalid_request', `${part}: ${field} ${message}`, { details: { errors } });
}

function describe(part: RequestPart, { keyword, instancePath, params, message }: AjvError): FieldError {
  const at = instancePath.split('/').slice(1).map(unescapePointer);
  switch (keyword) {
    case 'required':
      return { in: part, field: name([...at, params['missingProperty']]), message: 'is required' };
    case 'additionalProperties':
      return { in: part, field: name([...at, params['additionalProperty']]), message: 'is not known' };
    case 'enum':
      return { in: part, field: name(at), message: `must be one of ${String(params['allowedValues'])}` };
    default:
      return { in: part, field: name(at), message: message ?? 'is not valid' };
  }
}

function name(path: readonly unknown[]): string {
  if (path.length === 0) return '(all)';
  return path.join('.').slice(0, MAX_FIELD_LENGTH);
}

/** JSON Pointer, RFC 6901 §4. */
const unescapePointer = (token: string): string => token.replaceAll('~1', '/').replaceAll('~0', '~');
