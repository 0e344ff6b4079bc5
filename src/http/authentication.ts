/**
 * Lets in who shows a valid API key (`Authorization: Bearer <secret>`, RFC 6750 §2.1), and not too often. Keys in the
 * query string are never looked at. What a client may do once inside is permissions.ts.
 */
import { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ClientConfig } from '../config/config.js';
import { AuthdError } from '../errors.js';
import type { HttpDeps } from './ports.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; null on routes that need no key. */
    client: ClientConfig | null;
  }
}

const REALM = 'Bearer realm="feishu-authd"';

export interface AuthenticationDeps extends Pick<HttpDeps, 'clients'> {
  readonly limits: Pick<HttpDeps['limits'], 'callsPerClient' | 'failedAuthPerAddress'>;
  readonly logger: Pick<HttpDeps['logger'], 'warn'>;
}

/** Guards every route of this scope. Needs @fastify/rate-limit. */
export function addAuthentication(app: FastifyInstance, deps: AuthenticationDeps): void {
  const { callsPerClient, failedAuthPerAddress } = deps.limits;
  const countCall = app.createRateLimit({
    max: callsPerClient.max,
    timeWindow: callsPerClient.windowMs,
    keyGenerator: (request) => clientOf(request).id,
  });
  // Counts failures only: whoever has a valid key is not locked out by a neighbour behind the same address.
  const countFailure = app.createRateLimit({
    max: failedAuthPerAddress.max,
    timeWindow: failedAuthPerAddress.windowMs,
    // A caller that has hung up by now has no address any more.
    keyGenerator: (request) => normalizeIP(request.ip ?? '0.0.0.0'),
  });

  app.addHook('onRequest', async (request, reply) => {
    const secret = presentedSecret(request);
    const client = secret === null ? null : deps.clients.authenticate(secret);
    if (client === null) {
      const failures = await countFailure(request);
      refuseIfExceeded(failures, 'Too many requests without a valid API key');
      if (isFirst(failures)) deps.logger.warn(refusalLine(request), 'A request without a valid API key was refused');
      reply.header('www-authenticate', secret === null ? REALM : `${REALM}, error="invalid_token"`);
      throw new AuthdError('unauthorized', 'Send Authorization: Bearer <secret> with a valid secret');
    }
    request.client = client;
    refuseIfExceeded(await countCall(request), `Client ${client.id} calls too often`);
  });
}

/** The caller of a route behind `addAuthentication`. */
export function clientOf(request: FastifyRequest): ClientConfig {
  if (request.client === null) throw new TypeError('this route is not behind authentication');
  return request.client;
}

/** The bytes after `Bearer `, as received; null unless there is exactly one such header. */
function presentedSecret(request: FastifyRequest): Buffer | null {
  // headersDistinct: Node keeps the first of several Authorization headers, a proxy may have judged another.
  const [header, ...others] = request.raw.headersDistinct['authorization'] ?? [];
  if (header === undefined || others.length > 0) return null;
  // Node decodes headers as Latin-1, where a byte of a UTF-8 secret may pass for a space (\s); the buffer gives the
  // bytes back that were sent.
  const secret = /^Bearer +([^ \t]+)$/i.exec(header)?.[1];
  return secret === undefined ? null : Buffer.from(secret, 'latin1');
}

type Count = Awaited<ReturnType<ReturnType<FastifyInstance['createRateLimit']>>>;

/** One line per address and window is enough to notice; a line per failure would be the attacker's to write. */
const isFirst = (count: Count): boolean => !count.isAllowed && count.remaining === count.max - 1;

const refusalLine = (request: FastifyRequest) => ({
  event: 'http.unauthorized',
  method: request.method,
  route: request.routeOptions.url ?? 'other',
  remote_address: request.ip,
});

function refuseIfExceeded(count: Count, detail: string): void {
  if (count.isAllowed || !count.isExceeded) return;
  throw new AuthdError('rate_limited', detail, { retryAfterSeconds: count.ttlInSeconds });
}
