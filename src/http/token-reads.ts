/** Counts each read of a token by its client: issued, or the code it was answered with. */
import type { FastifyRequest } from 'fastify';
import type { Metrics } from '../domain/metrics.js';
import { clientOf } from './authentication.js';
import { problemOf } from './problem.js';

/** The handler, counted. It is behind a key: whoever has none is no client, and counted as a request only. */
export function countedRead<Request extends FastifyRequest, Answer>(
  metrics: Pick<Metrics, 'tokenRead'>,
  read: (request: Request) => Promise<Answer>,
): (request: Request) => Promise<Answer> {
  return async (request) => {
    const { id } = clientOf(request);
    try {
      const answer = await read(request);
      metrics.tokenRead(id, 'issued');
      return answer;
    } catch (error) {
      metrics.tokenRead(id, problemOf(error).body.code);
      throw error;
    }
  };
}
