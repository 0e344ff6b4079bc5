/**
 * Known paths, other methods: 405 with `Allow` instead of Fastify's 404, and an answer to OPTIONS (RFC 9110 §9.3.7,
 * §15.5.6).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ProblemTeller } from './bare-instance.js';
import { answer } from './instance.js';
import { httpProblem } from './problem.js';

/**
 * Call it before the routes of a scope are added, and what it returns afterwards. Hooks of the scope, such as
 * authentication, come first for the added routes too.
 */
export function refuseOtherMethods(
  app: FastifyInstance,
  tell: ProblemTeller['answer'] = (_request, reply, problem) => answer(reply, problem),
): () => void {
  const known = new Map<string, Set<string>>();
  let collecting = true;
  app.addHook('onRoute', ({ url, method }) => {
    if (!collecting) return;
    const methods = known.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    known.set(url, methods);
  });

  return () => {
    collecting = false;
    for (const [url, methods] of known) {
      const allow = [...methods, 'OPTIONS'].join(', ');
      const refuse = async (request: FastifyRequest, reply: FastifyReply) => {
        if (request.method === 'OPTIONS') return reply.code(204).header('allow', allow).send();
        return tell(request, reply, httpProblem(405, `This path takes ${allow}`, { allow }));
      };
      app.route({
        url,
        method: app.supportedMethods.filter((method) => !methods.has(method)),
        schema: { hide: true },
        exposeHeadRoute: false,
        // Before a body is looked at. Fastify wants a handler also where it is never reached.
        onRequest: refuse,
        handler: refuse,
      });
    }
  };
}
