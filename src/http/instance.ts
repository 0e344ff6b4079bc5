/**
 * A Fastify instance with the manners all our servers share: strict validation, problem documents for every error,
 * headers, time limits on connections, an orderly end. Owns no route.
 */
import type http from 'node:http';
import Fastify, {
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Logger } from 'pino';
import type { TlsConfig } from '../config/config.js';
import type { Metrics } from '../domain/metrics.js';
import { AuthdError } from '../errors.js';
import { addAccessLog } from './access-log.js';
import { addBodyParser } from './body.js';
import { answerClientError } from './client-error.js';
import type { HttpLimits } from './ports.js';
import { httpProblem, PROBLEM_TYPE, type Problem, problemOf } from './problem.js';
import { readQueryText } from './query.js';
import { readTlsFiles } from './tls-files.js';

export interface InstanceOptions {
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'httpAnswered'>;
  readonly limits: HttpLimits;
  readonly tls: TlsConfig | null;
}

/** Longest time for a request to arrive, headers and body; answered with 408. */
const REQUEST_TIMEOUT_MS = 15_000;
const HEADERS_TIMEOUT_MS = 10_000;
const CONNECTIONS_CHECK_MS = 5_000;
/** Longer than the usual pause between calls: a client that reuses a connection just being closed sees a reset. */
const KEEP_ALIVE_MS = 65_000;
/** How long beyond the handlers' own limit a closing server bears with connections. */
const CLOSE_GRACE_MS = 500;

export async function createInstance(options: InstanceOptions): Promise<FastifyInstance> {
  const { limits, logger } = options;
  const serverOptions: FastifyHttpOptions<http.Server> = {
    ...(await socketOptions(options.tls)),
    // Fastify's own lines hold URLs and whole errors; ours (access-log.ts and below) hold neither.
    logger: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, _request, reply) => answer(reply, problemOf(error)),
    // The fixed 503 of Fastify is no problem document, and a request that still got in can be served.
    return503OnClosing: false,
    bodyLimit: limits.bodyBytes,
    routerOptions: { maxParamLength: 256 },
    ajv: {
      // Fastify's defaults turn "a b" into ["a b"] and drop unknown fields without a word.
      customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: true },
    },
  };
  const app = Fastify(serverOptions);

  // Answers are built field by field (representations.ts); the schemas of answers only document them.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler((error, request, reply) => answer(reply, logged(logger, request, error)));
  app.setNotFoundHandler((_request, reply) => answer(reply, notFound()));
  app.decorateRequest('client', null);
  addHeaders(app);
  // Before a body is looked at: an unknown path is unknown whatever was sent to it.
  app.addHook('onRequest', async (request, reply) => (request.is404 ? answer(reply, notFound()) : undefined));
  app.addHook('preValidation', async (request) => readQueryText(request));
  addBodyParser(app);
  addAccessLog(app, options);
  endInTime(app, limits.handlerTimeoutMs + CLOSE_GRACE_MS);
  return app;
}

const EVERYWHERE = { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' };

/** Sends a problem document. Sets all headers itself: Fastify runs no hooks where a URL cannot be decoded. */
export function answer(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .headers(problem.headers)
    .headers(EVERYWHERE)
    .header('content-type', PROBLEM_TYPE)
    .send(JSON.stringify(problem.body));
}

const notFound = (): Problem => httpProblem(404, 'There is nothing at this path');

/** Logs what is our fault, and of that only what can hold no secret: names, codes and places in the code. */
function logged(logger: Logger, request: FastifyRequest, error: unknown): Problem {
  const problem = problemOf(error);
  if (problem.body.code !== 'internal_error') return problem;
  const { name, code, stack } = error instanceof Error ? (error as Error & { code?: unknown }) : {};
  const frames = stack?.split('\n').filter((line) => line.startsWith('    at '));
  const line = {
    event: 'http.internal_error',
    method: request.method,
    route: request.routeOptions.url ?? 'other',
    client_id: request.client?.id,
    error_name: name,
    error_code: typeof code === 'string' ? code : undefined,
    // The messages of AuthdError are ours and safe; a library's may quote a command with all its arguments.
    detail: error instanceof AuthdError ? error.message : undefined,
    stack: frames?.slice(0, 10).join('\n'),
  };
  logger.error(line, 'An HTTP request failed by a fault of ours');
  return problem;
}

function addHeaders(app: FastifyInstance): void {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    reply.headers(EVERYWHERE);
    // Else the connection would stay open, and with it the server, until the client's next request.
    if (closing) reply.header('connection', 'close');
  });
}

/** A connection that neither speaks nor leaves must not hold up the end of the process. */
function endInTime(app: FastifyInstance, graceMs: number): void {
  let timer: NodeJS.Timeout | undefined;
  app.addHook('preClose', async () => {
    timer = setTimeout(() => app.server.closeAllConnections(), graceMs);
  });
  app.addHook('onClose', async () => clearTimeout(timer));
}

/** TLS makes it an https.Server, which to Fastify's types and to us is an http.Server. */
async function socketOptions(tls: TlsConfig | null): Promise<FastifyHttpOptions<http.Server>> {
  const limits = { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CONNECTIONS_CHECK_MS };
  const common = { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS };
  if (tls === null) return { ...common, http: limits };
  const https = { ...limits, ...(await readTlsFiles(tls)) };
  return { ...common, ...{ https } };
}
