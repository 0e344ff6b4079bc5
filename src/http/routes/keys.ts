/** Which encryption keys are in use, and how far the re-seal is: for operators. Never a key, nor anything made of one. */
import type { FastifyInstance } from 'fastify';
import { clientOf } from '../authentication.js';
import { startDeadline } from '../deadline.js';
import { requireAction } from '../permissions.js';
import type { HttpDeps } from '../ports.js';
import { keyringJson } from '../representations.js';
import { jsonAnswer, noQuery, problems } from '../schemas.js';

export function addKeyRoutes(app: FastifyInstance, deps: HttpDeps): void {
  app.get('/v1/keys', { schema: KEYS_SCHEMA }, async (request) => {
    requireAction(clientOf(request), 'admin');
    return keyringJson(await startDeadline(deps.limits.handlerTimeoutMs).race(deps.keyring.status()));
  });
}

const KEYS_SCHEMA = {
  operationId: 'readKeys',
  tags: ['keys'],
  summary: 'Which encryption keys are in use',
  description: 'Needs the action admin. After a new key was put in front, the former one is removable in a while.',
  querystring: noQuery,
  response: {
    200: jsonAnswer('The keys and the re-seal', { $ref: 'Keyring#' }),
    ...problems([400, 401, 403, 429, 500, 503]),
  },
};
