/** What the session routes take and give, for validation and the OpenAPI document. */
import { appId, cleanupBody, jsonAnswer, noQuery, openId, problems, sessionState } from '../schemas.js';

const PATH = { type: 'object', required: ['session_id'], properties: { session_id: { type: 'string' } } };

/** Sessions on a page when the caller does not say. */
export const DEFAULT_LIMIT = 20;

/** Reading waits no longer than the server allows. */
export const readSchema = (longPollMaxSeconds: number) => ({
  operationId: 'readSession',
  tags: ['sessions'],
  summary: 'Read a session, now or when it ends',
  description: 'Needs one of the actions status, ask, admin; without admin the session must be your own.',
  params: PATH,
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: {
      wait_seconds: {
        type: 'integer',
        minimum: 0,
        maximum: longPollMaxSeconds,
        description: 'Answer when the session ends or after this time, whichever is first',
      },
    },
  },
  response: {
    200: jsonAnswer('The session', { $ref: 'Session#' }),
    ...problems([400, 401, 403, 404, 429, 500, 503], { 404: 'session_not_found' }),
  },
});

export const LIST_SCHEMA = {
  operationId: 'listSessions',
  tags: ['sessions'],
  summary: 'List sessions, newest first',
  description: 'Needs one of the actions status, ask, admin; without admin only your own are listed.',
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: {
      open_id: openId,
      app_id: { ...appId, description: 'Only of this app' },
      state: sessionState,
      limit: { type: 'integer', minimum: 1, maximum: 100, description: `${DEFAULT_LIMIT} by default` },
      cursor: { type: 'string', pattern: '^[A-Za-z0-9_.~=-]{1,512}$', description: 'next_cursor of the page before' },
    },
  },
  response: {
    200: jsonAnswer('A page of sessions', {
      type: 'object',
      required: ['sessions', 'next_cursor'],
      additionalProperties: false,
      properties: {
        sessions: { type: 'array', items: { $ref: 'Session#' } },
        next_cursor: { type: ['string', 'null'], description: 'null on the last page' },
      },
    }),
    ...problems([400, 401, 403, 404, 429, 500, 503], { 404: 'app_not_found' }),
  },
};

export const INVALIDATE_SCHEMA = {
  operationId: 'invalidateSession',
  tags: ['sessions'],
  summary: 'End a session',
  description:
    'For its owner (action ask) and for admin. Tokens are not touched. A session that has ended stays as it is.',
  params: PATH,
  querystring: noQuery,
  response: {
    200: jsonAnswer('The session, ended', { $ref: 'Session#' }),
    ...problems([400, 401, 403, 404, 429, 500, 503], { 404: 'session_not_found' }),
  },
};

export const CLEANUP_SCHEMA = {
  operationId: 'cleanUpSessions',
  tags: ['sessions'],
  summary: 'Delete sessions that ended long ago',
  description: 'Needs the action admin, in a client that is not limited to some apps.',
  querystring: noQuery,
  body: cleanupBody,
  response: {
    200: jsonAnswer('How many were deleted', {
      type: 'object',
      required: ['deleted'],
      additionalProperties: false,
      properties: { deleted: { type: 'integer', minimum: 0 } },
    }),
    ...problems([400, 401, 403, 413, 415, 429, 500, 503]),
  },
};
