/** JSON Schemas that routes are described with. Those of requests are what Ajv enforces; answers are in components.ts. */
import { MAX_REASON_CHARACTERS, MAX_REASON_LINES } from '../domain/reason.js';
import { SCOPE_PATTERN } from '../domain/scopes.js';
import { FAILURE_REASONS, SESSION_STATES } from '../domain/session.js';
import { EXAMPLES } from './examples.js';

/** `type` and `required` of an object whose fields are all there and no others. */
export const exactly = <P extends object>(properties: P) => ({
  type: 'object',
  required: Object.keys(properties),
  additionalProperties: false,
  properties,
});

export const text = { type: 'string' } as const;
export const textOrNull = { type: ['string', 'null'] } as const;
export const time = { type: 'string', format: 'date-time', description: 'ISO 8601, UTC' } as const;
export const timeOrNull = { type: ['string', 'null'], format: 'date-time', description: 'ISO 8601, UTC' } as const;
export const scopeList = { type: 'array', items: text } as const;

export const openId = {
  type: 'string',
  pattern: '^ou_[A-Za-z0-9_-]{1,61}$',
  description: 'The user, as this app knows her',
  examples: [EXAMPLES.Session.open_id],
} as const;

export const appId = {
  type: 'string',
  minLength: 1,
  maxLength: 64,
  description: 'Needed where the client may use several apps',
  examples: [EXAMPLES.Session.app_id],
} as const;

const scope = { type: 'string', pattern: SCOPE_PATTERN.source } as const;

const metadata = {
  type: 'object',
  maxProperties: 16,
  propertyNames: { type: 'string', minLength: 1, maxLength: 256 },
  additionalProperties: { type: 'string', maxLength: 256 },
  description: 'Yours to keep with the session; shown to nobody but the client',
  examples: [EXAMPLES.Session.metadata],
} as const;

export const createSessionBody = {
  type: 'object',
  required: ['open_id'],
  additionalProperties: false,
  properties: {
    open_id: openId,
    app_id: appId,
    scopes: {
      type: 'array',
      maxItems: 100,
      items: scope,
      description: "Replaces the app's default. offline_access is always added; with it at most 50",
      examples: [EXAMPLES.Session.scopes],
    },
    reason: {
      type: 'string',
      maxLength: 4_096,
      description: `Shown to the user: plain text, at most ${MAX_REASON_CHARACTERS} characters and ${MAX_REASON_LINES} lines`,
      examples: [EXAMPLES.Session.reason],
    },
    chat_id: {
      type: 'string',
      pattern: '^oc_[A-Za-z0-9_-]{1,61}$',
      description: 'A group that gets a short notice naming the user; the card goes to her alone',
    },
    ttl_seconds: { type: 'integer', minimum: 10, maximum: 604_800, description: 'Life of the session' },
    metadata,
    force: { type: 'boolean', description: 'Ask although a live grant covers the scopes' },
  },
  examples: [EXAMPLES.createSession],
} as const;

export const cleanupBody = {
  type: 'object',
  required: ['expiry_days'],
  additionalProperties: false,
  properties: {
    expiry_days: { type: 'integer', minimum: 0, maximum: 36_500, description: 'Kept since they ended, in days' },
  },
  examples: [{ expiry_days: 30 }],
} as const;

/** For calls without query parameters: also an unknown one is refused. */
export const noQuery = { type: 'object', additionalProperties: false, properties: {} } as const;

export const sessionState = { type: 'string', enum: SESSION_STATES } as const;

export const sessionFields = {
  session_id: { type: 'string', examples: [EXAMPLES.Session.session_id] },
  state: sessionState,
  app_id: { type: 'string', examples: [EXAMPLES.Session.app_id] },
  client_id: text,
  open_id: openId,
  scopes: scopeList,
  granted_scopes: scopeList,
  missing_scopes: scopeList,
  reason: textOrNull,
  message_id: { ...textOrNull, description: 'null until Feishu has taken the card' },
  created_at: time,
  expires_at: time,
  ended_at: timeOrNull,
  failure_reason: { type: ['string', 'null'], enum: [...FAILURE_REASONS, null] },
  failure_detail: {
    ...exactly({
      feishu_code: { type: ['integer', 'null'] },
      log_id: textOrNull,
      remedy: text,
      for: { type: 'string', enum: ['user', 'operator', 'developer'] },
    }),
    type: ['object', 'null'],
  },
  next_session_id: { ...textOrNull, description: 'The session that continued this one' },
  metadata,
} as const;

const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'invalid_request, app_id_required',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'Not found: the code says what',
  409: 'reauthorization_required',
  413: 'payload_too_large',
  415: 'invalid_request: the body is not JSON',
  422: 'open_id_of_other_app, user_unreachable, idempotency_conflict',
  429: 'rate_limited; Retry-After says when to come back',
  500: 'internal_error',
  503: 'upstream_unavailable; Retry-After says when to come back. Nothing was lost',
};

/** The problem answers of a route, by status; `named` replaces the usual description. */
export const problems = (statuses: readonly number[], named: Readonly<Record<number, string>> = {}) =>
  Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: named[status] ?? PROBLEMS[status] ?? 'invalid_request',
        content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
      },
    ]),
  );

export const jsonAnswer = (description: string, schema: object) => ({
  description,
  content: { 'application/json': { schema } },
});
