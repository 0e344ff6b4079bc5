/**
 * A refusal of the API (RFC 9457, CONTRACT §5) as the command line tells it: what happened, what to do, exit code.
 * Texts of the answer are shown as one plain line each, without anything that looks like a secret.
 */
import { numberOf, objectOf, textOf } from '../domain/json-fields.js';
import { cleanName } from '../domain/plain-text.js';
import { scrubPatterns } from '../telemetry/patterns.js';
import { CommandFailure, type ExitCode } from './command-failure.js';
import { EXIT } from './exit-codes.js';

/** An answer of whoever is at AUTHD_URL. */
export interface Answer {
  readonly status: number;
  /** The header. */
  readonly retryAfter: string | null;
  readonly text: string;
}

/** `status` and `code` are for callers that can go on, such as one that waits. */
export class ApiRefusal extends CommandFailure {
  readonly status: number;
  readonly code: string;
  readonly retryAfterSeconds: number | null;
  readonly feishuCode: number | null;
  readonly logId: string | null;

  constructor(
    known: Pick<ApiRefusal, 'status' | 'code' | 'retryAfterSeconds' | 'feishuCode' | 'logId'>,
    message: string,
    advice: readonly string[],
  ) {
    super(exitCodeOf(known.status, known.code), message, advice);
    this.status = known.status;
    this.code = known.code;
    this.retryAfterSeconds = known.retryAfterSeconds;
    this.feishuCode = known.feishuCode;
    this.logId = known.logId;
  }
}

const MAX_LINE = 600;
const MAX_RETRY_AFTER_SECONDS = 86_400;

/** null: the body is no problem document. */
export function readProblem(answer: Answer, body: unknown, apiKey: string): ApiRefusal | null {
  const problem = objectOf(body);
  const code = textOf(problem['code']);
  const title = textOf(problem['title']);
  if (code === null || title === null) return null;
  const show = (text: string): string => cleanName(scrubPatterns(text.replaceAll(apiKey, '***')), MAX_LINE);
  const logId = textOf(problem['log_id']);
  const known = {
    status: answer.status,
    code: show(code),
    retryAfterSeconds: readRetryAfter(answer.retryAfter),
    feishuCode: numberOf(problem['feishu_code']),
    logId: logId === null ? null : show(logId),
  };
  const detail = textOf(problem['detail']);
  const advice = [
    textOf(problem['remedy']),
    ...fieldAdvice(problem['errors']),
    ...listAdvice(problem),
    feishuAdvice(problem),
    nextAdvice(problem['next'], known),
  ].filter((line) => line !== null);
  return new ApiRefusal(known, show(`${title} (${code})${detail === null ? '' : `: ${detail}`}`), advice.map(show));
}

function exitCodeOf(status: number, code: string): ExitCode {
  if (status === 401 || status === 403 || NOT_AUTHORIZED.has(code)) return EXIT.notAuthorized;
  if (code === 'app_id_required' || (code === 'invalid_request' && status === 400)) return EXIT.usage;
  if (code === 'upstream_unavailable') return EXIT.network;
  if (code === 'internal_error') return EXIT.internal;
  return EXIT.refused;
}

/** The user has to consent (again) first. */
const NOT_AUTHORIZED: ReadonlySet<string> = new Set([
  'token_not_found',
  'insufficient_scope',
  'reauthorization_required',
]);

/** Seconds; dates are not used by the API. */
function readRetryAfter(header: string | null): number | null {
  if (header === null || !/^\d{1,9}$/.test(header)) return null;
  return Math.min(Number(header), MAX_RETRY_AFTER_SECONDS);
}

/** The first one is in `detail`. */
function fieldAdvice(errors: unknown): string[] {
  const rest: unknown[] = Array.isArray(errors) ? errors.slice(1, 11) : [];
  return rest.map((error) => {
    const { field, in: part, message } = objectOf(error);
    return `${String(part)}: ${String(field)} ${String(message)}`;
  });
}

const LISTS = { missing_scopes: 'Missing', forbidden_scopes: 'Not allowed', app_ids: 'Apps' } as const;

const listAdvice = (problem: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(LISTS).flatMap(([name, label]) => {
    const list = problem[name];
    return Array.isArray(list) && list.length > 0 ? [`${label}: ${list.map(String).join(' ')}`] : [];
  });

function feishuAdvice(problem: Readonly<Record<string, unknown>>): string | null {
  const code = numberOf(problem['feishu_code']);
  const logId = textOf(problem['log_id']);
  const says = code === null ? [] : [`Feishu's code is ${code}: feishu-authd explain ${code}`];
  const quote = logId === null ? [] : [`log id ${logId}`];
  return code === null && logId === null ? null : [...says, ...quote].join('; ');
}

function nextAdvice(
  next: unknown,
  { code, retryAfterSeconds, status }: Pick<ApiRefusal, 'code' | 'retryAfterSeconds' | 'status'>,
): string | null {
  if (next === 'ask') return 'Ask the user: feishu-authd send --open-id …';
  if (next === 'operator') return 'Tell the operator of the daemon.';
  if (next === 'wait' || retryAfterSeconds !== null) {
    return retryAfterSeconds === null ? 'Wait a moment and repeat it.' : `Repeat it in ${retryAfterSeconds} s.`;
  }
  if (code === 'unauthorized') return 'AUTHD_API_KEY is the secret alone, without the name it has in API_KEYS.';
  if (code === 'invalid_request' && status === 404) return 'Is the daemon of an older version than this command?';
  return null;
}
