/**
 * A Fastify instance with the manners all our servers share: time limits on connections, a bound on bodies, the same
 * headers everywhere, one access line per request, an orderly end. How errors look is told by whoever builds one. Owns
 * no route.
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
import { addAccessLog } from './access-log.js';
import { clientErrorHandler, type SocketAnswer } from './client-error.js';
import { faultFields } from './fault-fields.js';
import { httpProblem, type Problem, problemOf } from './problem.js';
import { readTlsFiles } from './tls-files.js';

/** How a server tells of errors. */
export interface ProblemTeller {
  /** Sends it, with all headers: Fastify runs no hooks where a URL cannot be decoded. */
  readonly answer: (request: FastifyRequest, reply: FastifyReply, problem: Problem) => FastifyReply;
  /** For bytes that are no HTTP request. */
  readonly toSocket: SocketAnswer;
}

export interface BareInstanceOptions {
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'httpAnswered'>;
  readonly tls: TlsConfig | null;
  readonly bodyBytes: number;
  /** How long a closing server bears with connections. */
  readonly closeMs: number;
  /** Addresses and networks whose X-Forwarded-For is believed; empty: the header is ignored. */
  readonly trustedProxies: readonly string[];
  /** On every answer. */
  readonly headers: Readonly<Record<string, string>>;
  readonly teller: ProblemTeller;
}

/** Longest time for a request to arrive, headers and body; answered with 408. */
const REQUEST_TIMEOUT_MS = 15_000;
const HEADERS_TIMEOUT_MS = 10_000;
const CONNECTIONS_CHECK_MS = 5_000;
/** Longer than the usual pause between calls: a client that reuses a connection just being closed sees a reset. */
const KEEP_ALIVE_MS = 65_000;

/** @throws {AuthdError} `config_invalid` when the TLS files cannot be used */
export async function createBareInstance(options: BareInstanceOptions): Promise<FastifyInstance> {
  const { logger, teller, trustedProxies } = options;
  const serverOptions: FastifyHttpOptions<http.Server> = {
    ...(await socketOptions(options.tls)),
    // Fastify's own lines hold URLs and whole errors; ours (access-log.ts and below) hold neither.
    logger: false,
    clientErrorHandler: clientErrorHandler(teller.toSocket),
    frameworkErrors: (error, request, reply) => teller.answer(request, reply, problemOf(error)),
    // The fixed 503 of Fastify is no answer of ours, and a request that still got in can be served.
    return503OnClosing: false,
    bodyLimit: options.bodyBytes,
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    routerOptions: { maxParamLength: 256 },
    ajv: {
      // Fastify's defaults turn "a b" into ["a b"] and drop unknown fields without a word.
      customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: true },
    },
  };
  const app = Fastify(serverOptions);

  app.setErrorHandler((error, request, reply) => teller.answer(request, reply, logged(logger, request, error)));
  app.setNotFoundHandler((request, reply) => teller.answer(request, reply, notFound()));
  app.decorateRequest('client', null);
  addHeaders(app, options.headers);
  // Before a body is looked at: an unknown path is unknown whatever was sent to it. `*` (RFC 9112 §3.2.4) is no path; the
  // router takes it for `/`.
  app.addHook('onRequest', async (request, reply) =>
    request.is404 || request.url === '*' ? teller.answer(request, reply, notFound()) : undefined,
  );
  addAccessLog(app, options);
  endInTime(app, options.closeMs);
  return app;
}

const notFound = (): Problem => httpProblem(404, 'There is nothing at this path');

/** Logs what is our fault. */
function logged(logger: Logger, request: FastifyRequest, error: unknown): Problem {
  const problem = problemOf(error);
  if (problem.body.code !== 'internal_error') return problem;
  const line = {
    event: 'http.internal_error',
    method: request.method,
    route: request.routeOptions.url ?? 'other',
    client_id: request.client?.id,
    ...faultFields(error),
  };
  logger.error(line, 'An HTTP request failed by a fault of ours');
  return problem;
}

function addHeaders(app: FastifyInstance, headers: Readonly<Record<string, string>>): void {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    reply.headers(headers);
    // Else the connection would stay open, and with it the server, until the client's next request.
    if (closing) reply.header('connection', 'close');
  });
}

/** A connection that neither speaks nor leaves must not hold up the end of the process. */
function endInTime(app: FastifyInstance, closeMs: number): void {
  let timer: NodeJS.Timeout | undefined;
  app.addHook('preClose', async () => {
    timer = setTimeout(() => app.server.closeAllConnections(), closeMs);
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
