/**
 * `/metrics`: Prometheus text, for whoever can reach the port. No key is needed, as there is no id, secret or text of
 * anybody in it. What it says is the port's business; here it only gets a route and a time limit.
 */
import type { FastifyInstance } from 'fastify';
import { startDeadline } from '../deadline.js';
import type { HealthDeps } from '../ports.js';
import { problems } from '../schemas.js';

export function addMetricsRoute(app: FastifyInstance, deps: Pick<HealthDeps, 'limits' | 'scrape'>): void {
  app.get('/metrics', { schema: METRICS_SCHEMA }, async (_request, reply) => {
    const { contentType, text } = await startDeadline(deps.limits.handlerTimeoutMs).race(deps.scrape());
    return reply.header('content-type', contentType).send(text);
  });
}

const METRICS_SCHEMA = {
  operationId: 'metrics',
  tags: ['health'],
  summary: 'Metrics for Prometheus',
  security: [],
  response: {
    200: { description: 'Prometheus text', content: { 'text/plain': { schema: { type: 'string' } } } },
    ...problems([500, 503]),
  },
};
