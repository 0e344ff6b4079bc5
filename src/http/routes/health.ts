/**
 * `/healthz`: the process turns, whatever else is broken (a restart would mend nothing). `/readyz`: does it do its
 * work? The verdict is the readiness port's; here it only gets a time limit, so that a probe always learns something
 * (FAILURES E-admin-call-hangs-with-redis, G-health-says-ok). No key is needed for either.
 */
import type { FastifyInstance } from 'fastify';
import type { ReadinessReport } from '../../domain/readiness.js';
import { AuthdError } from '../../errors.js';
import { startDeadline } from '../deadline.js';
import type { HealthDeps } from '../ports.js';
import { readinessJson } from '../representations.js';
import { appId, jsonAnswer, problems } from '../schemas.js';

export function addHealthRoutes(app: FastifyInstance, deps: HealthDeps): void {
  app.get('/healthz', { schema: HEALTHZ_SCHEMA }, async () => ({ status: 'ok' }));

  app.get<{ Querystring: { readonly app_id?: string } }>(
    '/readyz',
    { schema: READYZ_SCHEMA },
    async (request, reply) => {
      const { app_id: ofApp } = request.query;
      if (ofApp !== undefined && !deps.apps.some((candidate) => candidate.appId === ofApp)) {
        throw new AuthdError('app_not_found', 'No app with this app_id is configured');
      }
      const report = await judge(deps, ofApp);
      reply.code(report.status === 'unavailable' ? 503 : 200);
      return readinessJson(report);
    },
  );
}

async function judge(deps: HealthDeps, ofApp: string | undefined): Promise<ReadinessReport> {
  try {
    return await startDeadline(deps.limits.handlerTimeoutMs).race(deps.readiness(ofApp));
  } catch (error) {
    // Whoever cannot say whether he is ready is not.
    const detail = error instanceof AuthdError ? error.message : 'The judgement itself failed';
    return { status: 'unavailable', parts: [{ part: 'readiness', ok: false, detail }] };
  }
}

const HEALTHZ_SCHEMA = {
  operationId: 'healthz',
  tags: ['health'],
  summary: 'Whether the process turns',
  security: [],
  response: {
    200: jsonAnswer('It does', {
      type: 'object',
      required: ['status'],
      additionalProperties: false,
      properties: { status: { const: 'ok' } },
    }),
  },
};

const READYZ_SCHEMA = {
  operationId: 'readyz',
  tags: ['health'],
  summary: 'Whether the process does its work, part by part',
  security: [],
  querystring: { type: 'object', additionalProperties: false, properties: { app_id: appId } },
  response: {
    200: jsonAnswer('ready, or degraded: one app of several works', { $ref: 'Readiness#' }),
    503: jsonAnswer('unavailable', { $ref: 'Readiness#' }),
    ...problems([400, 404, 500], { 404: 'app_not_found' }),
  },
};
