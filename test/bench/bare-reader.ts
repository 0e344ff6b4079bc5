/**
 * The baseline of token reads: the same route by somebody who has Fastify and one Redis. The answer lies in Redis as it
 * is sent, one plain GET brings it; behind the daemon's own authentication, with pino at level info and one line a read.
 * Options: BareReaderOptions. Listens when it has answered its first order, with the port.
 */
import rateLimit from '@fastify/rate-limit';
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import { addAuthentication, clientOf } from '../../src/http/authentication.js';
import { createClientRegistry } from '../../src/http/clients.js';
import { DEFAULT_HTTP_LIMITS } from '../../src/http/ports.js';
import { childOptions, takeOrders } from './child-orders.js';
import type { BareReaderOptions } from './reading.js';

const { clients, redisUrl } = childOptions() as BareReaderOptions;
const redis = new Redis(redisUrl);
const app = Fastify({ logger: { level: 'info' }, disableRequestLogging: true });
app.decorateRequest('client', null);
await app.register(rateLimit, { global: false });
await app.register((guarded, _options, done) => {
  addAuthentication(guarded, {
    clients: createClientRegistry(clients),
    // Counted as the daemon counts, but never refused: it may be asked more often than the daemon can be.
    limits: { ...DEFAULT_HTTP_LIMITS, callsPerClient: { max: 1_000_000, windowMs: 10_000 } },
    logger: app.log,
  });
  guarded.get<{ Params: { readonly open_id: string } }>('/v1/users/:open_id/token', async (request, reply) => {
    const { open_id: openId } = request.params;
    const answer = await redis.get(`bare:${openId}`);
    if (answer === null) return reply.code(404).send();
    request.log.info({ event: 'token.issued', client_id: clientOf(request).id, open_id: openId });
    return reply.header('content-type', 'application/json').send(answer);
  });
  done();
});

takeOrders(async () => {
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  return typeof address === 'object' ? address?.port : null;
});
