/**
 * Reading, listing and ending sessions. A client meets its own, with `admin` those of all clients; everything else
 * is as good as not there (404), so that ids tell nothing.
 */
import type { FastifyInstance } from 'fastify';
import type { ClientConfig } from '../../config/config.js';
import { isLive, type Session, type SessionState } from '../../domain/session.js';
import { appOfSession } from '../../domain/session-id.js';
import { AuthdError } from '../../errors.js';
import { clientOf } from '../authentication.js';
import { type Deadline, startDeadline } from '../deadline.js';
import type { LongPolls } from '../long-polls.js';
import { appsOf, ownerFilter, requireAction, resolveApp, seesSession } from '../permissions.js';
import type { HttpDeps } from '../ports.js';
import { sessionJson } from '../representations.js';
import { CLEANUP_SCHEMA, DEFAULT_LIMIT, INVALIDATE_SCHEMA, LIST_SCHEMA, readSchema } from './session-schemas.js';

interface SessionPath {
  readonly session_id: string;
}

interface ListQuery {
  readonly open_id?: string;
  readonly app_id?: string;
  readonly state?: SessionState;
  readonly limit?: number;
  readonly cursor?: string;
}

export function addSessionRoutes(app: FastifyInstance, deps: HttpDeps, longPolls: LongPolls): void {
  const start = () => startDeadline(deps.limits.handlerTimeoutMs);

  /** The session, if this client may see it. */
  const find = async (client: ClientConfig, sessionId: string, deadline: Deadline): Promise<Session> => {
    const session = appOfSession(sessionId) === null ? null : await deadline.race(deps.sessions.get(sessionId));
    return visible(client, session);
  };

  const waitForEnd = (sessionId: string, waitMs: number, signal: AbortSignal) =>
    startDeadline(waitMs + deps.limits.handlerTimeoutMs).race(deps.sessions.waitForEnd(sessionId, waitMs, signal));

  app.get<{ Params: SessionPath; Querystring: { readonly wait_seconds?: number } }>(
    '/v1/sessions/:session_id',
    { schema: readSchema(deps.limits.longPollMaxSeconds) },
    async (request, reply) => {
      const client = clientOf(request);
      requireAction(client, 'status', 'ask', 'admin');
      const { session_id: sessionId } = request.params;
      const session = await find(client, sessionId, start());
      const waitMs = (request.query.wait_seconds ?? 0) * 1000;
      if (waitMs === 0 || !isLive(session.state)) return sessionJson(session);
      const awaited = await longPolls.hold(reply.raw, (signal) => waitForEnd(sessionId, waitMs, signal));
      // null: let go early (the server closes) or deleted meanwhile. Reading again tells which, and the state now.
      return sessionJson(awaited ?? (await find(client, sessionId, start())));
    },
  );

  app.get<{ Querystring: ListQuery }>('/v1/sessions', { schema: LIST_SCHEMA }, async (request) => {
    const client = clientOf(request);
    requireAction(client, 'status', 'ask', 'admin');
    const { query } = request;
    const apps = query.app_id === undefined ? appsOf(client, deps.apps) : [resolveApp(client, deps.apps, query.app_id)];
    if (apps.length === 0) return { sessions: [], next_cursor: null };
    const page = await start().race(
      deps.sessions.list({
        appIds: apps.map((candidate) => candidate.appId),
        clientId: ownerFilter(client),
        ...(query.open_id === undefined ? {} : { openId: query.open_id }),
        ...(query.state === undefined ? {} : { state: query.state }),
        ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
        limit: query.limit ?? DEFAULT_LIMIT,
      }),
    );
    return { sessions: page.sessions.map(sessionJson), next_cursor: page.nextCursor };
  });

  app.post<{ Params: SessionPath }>(
    '/v1/sessions/:session_id/invalidate',
    { schema: INVALIDATE_SCHEMA },
    async (request) => {
      const client = clientOf(request);
      requireAction(client, 'ask', 'admin');
      const deadline = start();
      const before = await find(client, request.params.session_id, deadline);
      const session = visible(client, await deadline.race(deps.sessions.invalidate(before.sessionId)));
      const { sessionId, appId: ofApp } = session;
      const line = { event: 'api.invalidated', session_id: sessionId, app_id: ofApp, client_id: client.id };
      deps.logger.info(line, 'A client has ended a session');
      return sessionJson(session);
    },
  );

  app.post<{ Body: { readonly expiry_days: number } }>(
    '/v1/sessions/cleanup',
    { schema: CLEANUP_SCHEMA },
    async (request) => {
      const client = clientOf(request);
      requireAction(client, 'admin');
      if (client.apps !== null) {
        throw new AuthdError('forbidden', 'Cleanup reaches every app: it is not for clients that are limited to some');
      }
      const deleted = await start().race(deps.sessions.cleanup(request.body.expiry_days));
      deps.logger.info({ event: 'api.cleaned_up', client_id: client.id, deleted }, 'A client has deleted old sessions');
      return { deleted };
    },
  );
}

function visible(client: ClientConfig, session: Session | null): Session {
  if (session !== null && seesSession(client, session)) return session;
  throw new AuthdError('session_not_found', 'There is no session with this id');
}
