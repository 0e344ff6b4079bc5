/**
 * JSON Schemas of the answers, by `$id`: the components of the OpenAPI document. They document representations.ts and
 * problem.ts; a test holds the two together.
 */
import { GRANT_STATES } from '../domain/grant.js';
import { EXAMPLES } from './examples.js';
import { API_CODES, NEXT_STEPS } from './problem.js';
import { exactly, scopeList, sessionFields, text, time, timeOrNull } from './schemas.js';
import { statusSchema } from './status-schema.js';

const count = { type: 'integer', minimum: 0 } as const;

export const sharedSchemas = [
  { $id: 'Session', ...exactly(sessionFields), examples: [EXAMPLES.Session] },
  {
    $id: 'AskedSession',
    ...exactly({ ...sessionFields, already_authorized: { const: false }, session: { $ref: 'Session#' } }),
    examples: [EXAMPLES.AskedSession],
  },
  {
    $id: 'AlreadyAuthorized',
    ...exactly({ already_authorized: { const: true }, session: { type: 'null' }, user: { $ref: 'UserStatus#' } }),
    examples: [EXAMPLES.AlreadyAuthorized],
  },
  {
    $id: 'UserStatus',
    ...exactly({
      status: { type: 'string', enum: GRANT_STATES },
      scopes: scopeList,
      expires_at: timeOrNull,
      refresh_expires_at: timeOrNull,
      authorized_at: timeOrNull,
      renewable: { type: 'boolean' },
    }),
    examples: [EXAMPLES.UserStatus],
  },
  {
    $id: 'Token',
    ...exactly({
      access_token: text,
      token_type: { type: 'string', examples: ['Bearer'] },
      expires_at: time,
      expires_in: { type: 'integer', minimum: 0, description: 'Seconds' },
      scopes: scopeList,
    }),
    examples: [EXAMPLES.Token],
  },
  {
    $id: 'Keyring',
    ...exactly({
      keys: {
        type: 'array',
        items: exactly({
          id: text,
          seals: { type: 'boolean', description: 'A process seals with it, or did in the last minutes' },
          configured: { type: 'boolean', description: 'The process that answers has it' },
          uses: { ...count, type: ['integer', 'null'], description: 'Values sealed with it; null: never counted' },
          removable: { type: 'boolean', description: 'Nothing needs it: take it out of TOKEN_ENCRYPTION_KEYS' },
        }),
      },
      reseal: exactly({
        running: { type: 'boolean', description: 'Values of former keys may be left' },
        done: { ...count, description: 'Keys of Redis that the present walk, else the last one, has looked at' },
        total: { ...count, description: 'How many there were when it began; 0: there was no walk yet' },
        target_key_id: { ...text, description: 'The key that everything is to be sealed with' },
        finished_at: timeOrNull,
      }),
    }),
    examples: [EXAMPLES.Keyring],
  },
  statusSchema,
  {
    $id: 'Readiness',
    ...exactly({
      status: { type: 'string', enum: ['ready', 'degraded', 'unavailable'] },
      parts: {
        type: 'array',
        items: {
          type: 'object',
          required: ['part', 'ok', 'detail'],
          additionalProperties: false,
          properties: { part: text, app_id: text, ok: { type: 'boolean' }, detail: text },
        },
      },
    }),
    examples: [EXAMPLES.Readiness],
  },
  {
    $id: 'Problem',
    description: 'RFC 9457. Members beside these tell more where there is more: missing_scopes, errors, app_ids, …',
    type: 'object',
    required: ['type', 'title', 'status', 'detail', 'code'],
    additionalProperties: true,
    properties: {
      type: { type: 'string', format: 'uri', examples: [EXAMPLES.Problem.type] },
      title: text,
      status: { type: 'integer', minimum: 400, maximum: 599 },
      detail: text,
      code: { type: 'string', enum: API_CODES },
      next: { type: 'string', enum: NEXT_STEPS, description: 'Ask the user, wait and repeat, or call the operator' },
      remedy: text,
      errors: {
        type: 'array',
        items: exactly({
          in: { type: 'string', enum: ['body', 'query', 'path', 'headers'] },
          field: text,
          message: text,
        }),
      },
      missing_scopes: scopeList,
    },
    examples: [EXAMPLES.Problem],
  },
] as const;
