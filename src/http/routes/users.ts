/**
 * What a user has given us: its status, the access token, forgetting it. Owns the judgement whether a stored token may
 * be handed out; getting and renewing tokens is not done here.
 */
import type { FastifyInstance } from 'fastify';
import type { ClientConfig } from '../../config/config.js';
import type { AccessToken, GrantReading } from '../../domain/grant.js';
import { AuthdError } from '../../errors.js';
import { clientOf } from '../authentication.js';
import { startDeadline } from '../deadline.js';
import { EXAMPLES } from '../examples.js';
import { requireAction, requireScopes, resolveApp, seesGrant } from '../permissions.js';
import type { HttpDeps } from '../ports.js';
import { readList } from '../query.js';
import { NO_GRANT, tokenJson, userStatusJson } from '../representations.js';
import { appId, jsonAnswer, openId, problems } from '../schemas.js';
import { judgeRefreshed, judgeRenewed, judgeToken } from '../token-read.js';
import { countedRead } from '../token-reads.js';

interface UserPath {
  readonly open_id: string;
}

const PATH = { type: 'object', required: ['open_id'], properties: { open_id: openId } };

export function addUserRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const start = () => startDeadline(deps.limits.handlerTimeoutMs);
  const renew = (ofApp: string, ofUser: string, seen: number, force: boolean) =>
    startDeadline(deps.limits.refreshTimeoutMs).race(deps.grants.renew(ofApp, ofUser, seen, force));
  /** Hands a token out: it counts as used, and it is said to whom. */
  const issue = (client: ClientConfig, reading: GrantReading, token: AccessToken) => {
    const { appId: ofApp, openId: ofUser } = reading.grant;
    deps.grants.used(ofApp, ofUser, reading);
    const line = { event: 'token.issued', client_id: client.id, app_id: ofApp, open_id: ofUser };
    deps.logger.info(line, 'An access token was handed to a client');
    return tokenJson(token, reading.now);
  };
  const appFor = (client: ClientConfig, asked: string | undefined) => resolveApp(client, deps.apps, asked).appId;

  app.get<{ Params: UserPath; Querystring: { readonly app_id?: string } }>(
    '/v1/users/:open_id',
    { schema: STATUS_SCHEMA },
    async (request) => {
      const client = clientOf(request);
      requireAction(client, 'status', 'admin');
      const ofApp = appFor(client, request.query.app_id);
      const grant = await start().race(deps.grants.status(ofApp, request.params.open_id));
      return seesGrant(client, grant) ? userStatusJson(grant) : NO_GRANT;
    },
  );

  app.get<{ Params: UserPath; Querystring: { readonly app_id?: string; readonly scopes?: string } }>(
    '/v1/users/:open_id/token',
    // HEAD would count, and be logged, as a token given out.
    { schema: TOKEN_SCHEMA, exposeHeadRoute: false },
    countedRead(deps.metrics, async (request) => {
      const client = clientOf(request);
      requireAction(client, 'token');
      const ofApp = appFor(client, request.query.app_id);
      const wanted = readList(request.query.scopes ?? '');
      requireScopes(client, wanted);
      const { open_id: ofUser } = request.params;
      const reading = await start().race(deps.grants.read(ofApp, ofUser));
      if (!seesGrant(client, reading.grant)) throw NO_TOKEN();
      const token = judgeToken(reading, wanted);
      if (token !== null) return issue(client, reading, token);
      const renewed = await renew(ofApp, ofUser, reading.generation, false);
      return issue(client, renewed, judgeRenewed(renewed, wanted));
    }),
  );

  app.post<{
    Params: UserPath;
    Querystring: { readonly app_id?: string };
    Body: { readonly if_expires_at?: string };
  }>(
    '/v1/users/:open_id/token/refresh',
    { schema: REFRESH_SCHEMA },
    countedRead(deps.metrics, async (request) => {
      const client = clientOf(request);
      requireAction(client, 'token');
      const ofApp = appFor(client, request.query.app_id);
      const { open_id: ofUser } = request.params;
      const reading = await start().race(deps.grants.read(ofApp, ofUser));
      if (!seesGrant(client, reading.grant)) throw NO_TOKEN();
      const before = judgeToken(reading, []);
      const ifExpiresAt = request.body.if_expires_at;
      if (ifExpiresAt !== undefined && before !== null && isNewer(reading, ifExpiresAt)) {
        return issue(client, reading, before);
      }
      if (!reading.grant.renewable) {
        throw new AuthdError('reauthorization_required', 'This grant has no refresh token');
      }
      const renewed = await renew(ofApp, ofUser, reading.generation, true);
      return issue(client, renewed, judgeRefreshed(renewed));
    }),
  );

  app.delete<{ Params: UserPath; Querystring: { readonly app_id?: string; readonly revoke_at_feishu?: boolean } }>(
    '/v1/users/:open_id/token',
    { schema: FORGET_SCHEMA },
    async (request, reply) => {
      const client = clientOf(request);
      requireAction(client, 'revoke');
      const ofApp = appFor(client, request.query.app_id);
      const { open_id: ofUser } = request.params;
      const deadline = start();
      const grant = await deadline.race(deps.grants.status(ofApp, ofUser));
      // Not this client's grant: there is nothing to forget, and no word about whether there is one.
      if (!seesGrant(client, grant)) return reply.code(204).send();
      await deadline.race(deps.grants.forget(ofApp, ofUser, request.query.revoke_at_feishu === true));
      const line = { event: 'api.forgotten', client_id: client.id, app_id: ofApp, open_id: ofUser };
      deps.logger.info(line, 'A client had the tokens of a user forgotten');
      return reply.code(204).send();
    },
  );
}

const NO_TOKEN = (): AuthdError => new AuthdError('token_not_found', 'There is no token of this user');

/** Whether the stored token is newer than the one the caller has seen. Clients may keep times in whole seconds. */
function isNewer({ tokens }: GrantReading, seenExpiry: string): boolean {
  const seen = Date.parse(seenExpiry);
  const doubt = seen % 1000 === 0 ? 999 : 0;
  return (tokens[0]?.expiresAt ?? 0) > seen + doubt;
}

const STATUS_SCHEMA = {
  operationId: 'readUser',
  tags: ['users'],
  summary: 'What a user has authorized',
  description: 'Needs the action status or admin. A grant that no session of yours led to shows as none, unless admin.',
  params: PATH,
  querystring: { type: 'object', additionalProperties: false, properties: { app_id: appId } },
  response: {
    200: jsonAnswer('The status', { $ref: 'UserStatus#' }),
    ...problems([400, 401, 403, 404, 429, 500, 503], { 404: 'app_not_found' }),
  },
};

const TOKEN_SCHEMA = {
  operationId: 'readToken',
  tags: ['users'],
  summary: 'A usable access token of a user',
  description:
    'Needs the action token. The token has at least a minute or half its life left, whichever is less. ' +
    '503 means that the grant is safe: wait, do not ask the user.',
  params: PATH,
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: {
      app_id: appId,
      scopes: { type: 'string', maxLength: 8_192, description: 'Needed scopes, separated by spaces or commas' },
    },
  },
  response: {
    200: jsonAnswer('The token', { $ref: 'Token#' }),
    ...problems([400, 401, 403, 404, 409, 429, 500, 503], {
      403: 'forbidden, insufficient_scope (with missing_scopes)',
      404: 'token_not_found, app_not_found',
    }),
  },
};

const REFRESH_SCHEMA = {
  operationId: 'refreshToken',
  tags: ['users'],
  summary: 'Refresh the access token of a user now',
  description:
    'Needs the action token. For a token that Feishu refuses before its time (99991668, 99991677): name its expires_at, ' +
    'and however many callers do so, Feishu is asked once.',
  params: PATH,
  querystring: { type: 'object', additionalProperties: false, properties: { app_id: appId } },
  body: {
    type: 'object',
    additionalProperties: false,
    examples: [EXAMPLES.refreshToken],
    properties: {
      if_expires_at: {
        type: 'string',
        format: 'date-time',
        maxLength: 40,
        description: 'expires_at of the token the caller has: nothing is done when the stored one is newer',
      },
    },
  },
  response: {
    200: jsonAnswer('The token, new or newer than the one named', { $ref: 'Token#' }),
    ...problems([400, 401, 403, 404, 409, 429, 500, 502, 503], {
      404: 'token_not_found, app_not_found',
      502: 'token_refresh_failed (with feishu_code): Feishu refused; the grant is kept',
    }),
  },
};

const FORGET_SCHEMA = {
  operationId: 'forgetToken',
  tags: ['users'],
  summary: 'Forget the tokens of a user',
  description: 'Needs the action revoke. Also 204 when there was nothing to forget.',
  params: PATH,
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: {
      app_id: appId,
      revoke_at_feishu: { type: 'boolean', description: 'Also tell Feishu, best effort, after the answer' },
    },
  },
  response: {
    204: { description: 'Forgotten', type: 'null' },
    ...problems([400, 401, 403, 404, 429, 500, 503], { 404: 'app_not_found' }),
  },
};
