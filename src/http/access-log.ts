/**
 * One debug line and one observation per request: the route's pattern, never the URL (ids and whatever a caller puts
 * into the query stay out of logs and of metric labels: FAILURES G-metrics-cardinality).
 */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Metrics } from '../domain/metrics.js';

export function addAccessLog(
  app: FastifyInstance,
  { logger, metrics }: { logger: Logger; metrics: Pick<Metrics, 'httpAnswered'> },
): void {
  app.addHook('onResponse', async (request, reply) => {
    const line = {
      event: 'http.request',
      method: request.method,
      route: request.routeOptions.url ?? 'other',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      client_id: request.client?.id,
    };
    logger.debug(line, 'An HTTP request was answered');
    metrics.httpAnswered({
      route: request.routeOptions.url ?? null,
      method: request.method,
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    });
  });
}
