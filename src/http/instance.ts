/**
 * The instance behind the API, health and metrics: strict validation, JSON bodies, problem documents for every error.
 * Owns no route.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import type { TlsConfig } from '../config/config.js';
import type { Metrics } from '../domain/metrics.js';
import { createBareInstance, type ProblemTeller } from './bare-instance.js';
import { addBodyParser } from './body.js';
import type { HttpLimits } from './ports.js';
import { PROBLEM_TYPE, type Problem } from './problem.js';
import { readQueryText } from './query.js';

export interface InstanceOptions {
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'httpAnswered'>;
  readonly limits: HttpLimits;
  readonly tls: TlsConfig | null;
}

/** How long beyond the handlers' own limit a closing server bears with connections. */
const CLOSE_GRACE_MS = 500;
const EVERYWHERE = { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' };

export async function createInstance(options: InstanceOptions): Promise<FastifyInstance> {
  const { limits, logger, metrics, tls } = options;
  const app = await createBareInstance({
    logger,
    metrics,
    tls,
    bodyBytes: limits.bodyBytes,
    closeMs: limits.handlerTimeoutMs + CLOSE_GRACE_MS,
    trustedProxies: [],
    headers: EVERYWHERE,
    teller: PROBLEM_DOCUMENTS,
  });
  // Answers are built field by field (representations.ts); the schemas of answers only document them.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.addHook('preValidation', async (request) => readQueryText(request));
  addBodyParser(app);
  return app;
}

/** Sends a problem document, with all headers. */
export function answer(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .headers(problem.headers)
    .headers(EVERYWHERE)
    .header('content-type', PROBLEM_TYPE)
    .send(JSON.stringify(problem.body));
}

export const PROBLEM_DOCUMENTS: ProblemTeller = {
  answer: (_request, reply, problem) => answer(reply, problem),
  toSocket: ({ body }) => ({ headers: { ...EVERYWHERE, 'content-type': PROBLEM_TYPE }, body: JSON.stringify(body) }),
};
