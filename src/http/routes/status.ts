/** What the whole fleet does and what is wrong with it, for the status page and its readers. Names no user. */
import type { FastifyInstance } from 'fastify';
import { clientOf } from '../authentication.js';
import { startDeadline } from '../deadline.js';
import { appsOf, requireAction } from '../permissions.js';
import type { HttpDeps } from '../ports.js';
import { jsonAnswer, noQuery, problems } from '../schemas.js';
import { statusJson } from '../status-json.js';

export function addStatusRoute(app: FastifyInstance, deps: HttpDeps): void {
  app.get('/v1/status', { schema: STATUS_SCHEMA }, async (request) => {
    const client = clientOf(request);
    requireAction(client, 'admin');
    const report = await startDeadline(deps.limits.handlerTimeoutMs).race(deps.status());
    const appIds = appsOf(client, deps.apps).map(({ appId }) => appId);
    return statusJson(report, { appIds, version: deps.version });
  });
}

const STATUS_SCHEMA = {
  operationId: 'readStatus',
  tags: ['status'],
  summary: 'What the fleet does and what is wrong with it',
  description:
    'Needs the action admin. What belongs to an app the client may not use is left out. Members are null while Redis does not answer.',
  querystring: noQuery,
  response: {
    200: jsonAnswer('The status', { $ref: 'Status#' }),
    ...problems([400, 401, 403, 429, 500, 503]),
  },
};
