/**
 * The one error class of the daemon and the table of its codes.
 *
 * Faults are errors; outcomes (declined, expired, "no consent yet") are values. An AuthdError never carries a
 * token, code, key, secret, consent link, `reason` or `metadata`: its message is safe to log and to show.
 */

/** What an error code means for those who meet it. */
export interface ErrorEntry {
  /** HTTP status of the API answer (RFC 9457). */
  readonly status: number;
  /** Short title of the problem document. */
  readonly title: string;
  /** Who can act: ask the user again, wait and repeat, or call the operator. */
  readonly next?: 'ask' | 'wait' | 'operator';
}

/** Every stable code; the first block is CONTRACT §5, the second never leaves the process by the API. */
export const ERROR_TABLE = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  unauthorized: { status: 401, title: 'A valid API key is required' },
  forbidden: { status: 403, title: 'This client may not do that' },
  app_id_required: { status: 400, title: 'Several apps are configured: name one in app_id' },
  app_not_found: { status: 404, title: 'No such app is configured' },
  session_not_found: { status: 404, title: 'No such session' },
  token_not_found: { status: 404, title: 'The user has not authorized this app', next: 'ask' },
  insufficient_scope: { status: 403, title: 'The user has not granted all these scopes', next: 'ask' },
  reauthorization_required: { status: 409, title: 'The user must authorize again', next: 'ask' },
  open_id_of_other_app: { status: 422, title: 'This open_id belongs to another app' },
  user_unreachable: { status: 422, title: 'Feishu cannot deliver a card to this user', next: 'operator' },
  idempotency_conflict: { status: 422, title: 'This Idempotency-Key was used with another body' },
  token_refresh_failed: { status: 502, title: 'Feishu refused to refresh the token' },
  upstream_unavailable: { status: 503, title: 'Feishu or the store is not available right now', next: 'wait' },
  rate_limited: { status: 429, title: 'Too many requests', next: 'wait' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  internal_error: { status: 500, title: 'Something went wrong inside feishu-authd', next: 'operator' },

  config_invalid: { status: 500, title: 'The configuration is not valid', next: 'operator' },
  cards_invalid: { status: 500, title: 'A card template breaks the rules of Feishu', next: 'operator' },
  key_mismatch: { status: 500, title: 'An encryption key is missing or wrong', next: 'operator' },
  redis_unsuitable: { status: 500, title: 'This Redis is not set up to keep data', next: 'operator' },
  record_damaged: { status: 500, title: 'A stored record does not open', next: 'operator' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_TABLE;

export interface AuthdErrorOptions {
  /** What the reader should do about it. */
  readonly remedy?: string;
  /** Seconds after which a repeat makes sense (Retry-After). */
  readonly retryAfterSeconds?: number;
  /** The code Feishu gave, if it was Feishu that refused. */
  readonly feishuCode?: number;
  /** Feishu's `x-tt-logid`, to quote to its support. */
  readonly logId?: string;
  /** Extra members of the problem document; must hold nothing secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export class AuthdError extends Error {
  override readonly name = 'AuthdError';
  readonly code: ErrorCode;
  readonly remedy: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly feishuCode: number | undefined;
  readonly logId: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: AuthdErrorOptions = {}) {
    super(message);
    this.code = code;
    this.remedy = options.remedy;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.feishuCode = options.feishuCode;
    this.logId = options.logId;
    this.details = options.details ?? {};
    // Not enumerable: whoever logs the error does not dump what a library put into its own.
    if (options.cause !== undefined) Object.defineProperty(this, 'cause', { value: options.cause, enumerable: false });
  }
}
