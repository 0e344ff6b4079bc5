/**
 * `POST /v1/sessions`: a client asks a user for an authorization. Owns the reading and checking of the request; what
 * happens then (the same session, a new one, none needed) is the flow's.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ClientConfig } from '../../config/config.js';
import type { AskRequest } from '../../domain/ask.js';
import { cleanReason, reasonProblem } from '../../domain/reason.js';
import { MAX_SCOPES, withOfflineAccess } from '../../domain/scopes.js';
import { clientOf } from '../authentication.js';
import { bodyDigest } from '../body.js';
import { startDeadline } from '../deadline.js';
import { requireAction, requireScopes, resolveApp } from '../permissions.js';
import type { ApiApp, HttpDeps } from '../ports.js';
import { sessionJson, userStatusJson } from '../representations.js';
import { createSessionBody, jsonAnswer, noQuery, problems } from '../schemas.js';
import { invalidField } from '../validation-errors.js';

interface CreateSessionBody {
  readonly open_id: string;
  readonly app_id?: string;
  readonly scopes?: readonly string[];
  readonly reason?: string;
  readonly chat_id?: string;
  readonly ttl_seconds?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly force?: boolean;
}

const SCHEMA = {
  operationId: 'createSession',
  tags: ['sessions'],
  summary: 'Ask a user to authorize',
  description:
    'Needs the action ask. Answers at once: the card is on its way. A session of the same client, user and app that ' +
    'is live and covers the scopes is returned instead of a new one; so is the fact that nothing needs to be asked.',
  querystring: noQuery,
  body: createSessionBody,
  headers: {
    type: 'object',
    properties: {
      'idempotency-key': {
        type: 'string',
        pattern: '^[\\x21-\\x7e]{1,255}$',
        description: 'Per client, for 24 hours: the same key and body give the same answer, another body 422',
      },
    },
  },
  response: {
    200: jsonAnswer('The live session that covers the request, or no session: the user has authorized already', {
      oneOf: [{ $ref: 'AskedSession#' }, { $ref: 'AlreadyAuthorized#' }],
    }),
    201: jsonAnswer('A new session', { $ref: 'AskedSession#' }),
    ...problems([400, 401, 403, 404, 413, 415, 422, 429, 500, 503]),
  },
};

export function addAskRoute(app: FastifyInstance, deps: HttpDeps): void {
  app.post<{ Body: CreateSessionBody }>('/v1/sessions', { schema: SCHEMA }, async (request, reply) => {
    const client = clientOf(request);
    requireAction(client, 'ask');
    const askedApp = resolveApp(client, deps.apps, request.body.app_id);
    const ask = readAsk(deps, request, client, askedApp);
    const result = await startDeadline(deps.limits.handlerTimeoutMs).race(deps.ask(ask));
    if (result.kind === 'already_authorized') {
      return { already_authorized: true, session: null, user: userStatusJson(result.grant) };
    }
    const session = sessionJson(result.session);
    if (result.kind === 'created') reply.code(201).header('location', `/v1/sessions/${session.session_id}`);
    return { ...session, already_authorized: false, session };
  });
}

function readAsk(
  deps: HttpDeps,
  request: FastifyRequest<{ Body: CreateSessionBody }>,
  client: ClientConfig,
  { appId, authScopes }: ApiApp,
): AskRequest {
  const { body } = request;
  const scopes = withOfflineAccess(body.scopes ?? authScopes);
  if (scopes.length > MAX_SCOPES) {
    throw invalidField('body', 'scopes', `must be at most ${MAX_SCOPES} with offline_access`);
  }
  requireScopes(client, scopes);
  return {
    clientId: client.id,
    appId,
    openId: body.open_id,
    scopes,
    reason: readReason(body.reason),
    chatId: body.chat_id ?? null,
    ttlSeconds: body.ttl_seconds ?? deps.sessionTtlSeconds,
    metadata: readMetadata(body.metadata ?? {}),
    force: body.force ?? false,
    idempotency: readIdempotency(request),
  };
}

function readReason(reason = ''): string | null {
  const problem = reasonProblem(reason);
  if (problem !== null) throw invalidField('body', 'reason', problem);
  return cleanReason(reason) || null;
}

/** Half of a surrogate pair cannot be stored as UTF-8: it would come back as another character. */
function readMetadata(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const broken = Object.entries(metadata).find((entry) => entry.some((part) => /\p{Surrogate}/u.test(part)));
  if (broken !== undefined) throw invalidField('body', 'metadata', 'must be well-formed Unicode');
  return metadata;
}

function readIdempotency(request: FastifyRequest): AskRequest['idempotency'] {
  // The schema has let through one string or nothing.
  const key = request.headers['idempotency-key'];
  return typeof key === 'string' ? { key, bodyDigest: bodyDigest(request.body) } : null;
}
