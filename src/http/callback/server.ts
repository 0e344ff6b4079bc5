/**
 * The callback server: the one part of the daemon that browsers of users see. It takes the redirects of the
 * authorization code grant (RFC 6749 §4.1.2, FEISHU.md §6.1) and answers with pages; what they mean is decided behind
 * the `receiveRedirect` port. Built, not started: whoever builds it calls `listen` and, at the end, `close`, which
 * gives the pages that wait a last moment and answers them all.
 */
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { createBareInstance } from '../bare-instance.js';
import { refuseOtherMethods } from '../methods.js';
import { createOutcomes } from './outcomes.js';
import { createPages } from './pages/pages.js';
import type { CallbackDeps } from './ports.js';
import { addRedirectRoutes } from './redirect-route.js';

/** After the last waits have ended: time for the answers to get out. */
const FLUSH_MS = 500;

/** @throws {AuthdError} `config_invalid` when the TLS files cannot be used */
export async function buildCallbackServer(deps: CallbackDeps): Promise<FastifyInstance> {
  const { limits, logger, metrics, tls, trustedProxies } = deps;
  const pages = createPages(deps.words);
  const app = await createBareInstance({
    logger,
    metrics,
    tls,
    bodyBytes: limits.bodyBytes,
    closeMs: limits.closeGraceMs + FLUSH_MS,
    trustedProxies,
    headers: pages.headers,
    teller: pages,
  });
  app.removeAllContentTypeParsers();
  await app.register(rateLimit, { global: false });
  const outcomes = createOutcomes(deps);
  app.addHook('preClose', async () => outcomes.close());

  const refuseOthers = refuseOtherMethods(app, pages.answer);
  addRedirectRoutes(app, [...new Set(deps.redirectPaths)], { ...deps, outcomes, pages });
  refuseOthers();
  const { routes } = deps;
  if (routes !== undefined) {
    await app.register((own, _options, done) => {
      const refuseOthersHere = refuseOtherMethods(own, pages.answer);
      routes(own);
      refuseOthersHere();
      done();
    });
  }
  await app.ready();
  return app;
}
