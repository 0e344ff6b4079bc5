/**
 * The servers: the API with health and metrics, and these two alone for METRICS_PORT. They are built, not started: whoever builds one
 * calls `listen` and, at the end, `close`, which answers the long polls at once and everything else in hand.
 */
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { addAuthentication } from './authentication.js';
import { sharedSchemas } from './components.js';
import { createInstance } from './instance.js';
import { createLongPolls } from './long-polls.js';
import { refuseOtherMethods } from './methods.js';
import { addOpenApi } from './openapi.js';
import type { HealthDeps, HttpDeps } from './ports.js';
import { addAskRoute } from './routes/ask.js';
import { addHealthRoutes } from './routes/health.js';
import { addKeyRoutes } from './routes/keys.js';
import { addMetricsRoute } from './routes/metrics.js';
import { addSessionRoutes } from './routes/sessions.js';
import { addStatusRoute } from './routes/status.js';
import { addStatusPage } from './routes/status-page.js';
import { addUserRoutes } from './routes/users.js';

/**
 * The API.
 * @throws {AuthdError} `config_invalid` when the TLS files cannot be read
 */
export async function buildServer(deps: HttpDeps): Promise<FastifyInstance> {
  const app = await createInstance(deps);
  await app.register(rateLimit, { global: false });
  const longPolls = createLongPolls(deps.limits.maxLongPolls);
  app.addHook('preClose', async () => longPolls.close());

  const refuseOthers = refuseOtherMethods(app);
  await addOpenApi(app, deps.version);
  addHealthRoutes(app, deps);
  addMetricsRoute(app, deps);
  addStatusPage(app, deps);
  refuseOthers();
  await app.register((guarded, _options, done) => {
    addAuthentication(guarded, deps);
    const refuseOthersBehindKey = refuseOtherMethods(guarded);
    addAskRoute(guarded, deps);
    addSessionRoutes(guarded, deps, longPolls);
    addUserRoutes(guarded, deps);
    addKeyRoutes(guarded, deps);
    addStatusRoute(guarded, deps);
    refuseOthersBehindKey();
    done();
  });
  await app.ready();
  return app;
}

/** `/healthz`, `/readyz` and `/metrics` only. */
export async function buildHealthServer(deps: HealthDeps): Promise<FastifyInstance> {
  const app = await createInstance(deps);
  for (const schema of sharedSchemas) app.addSchema(schema);
  const refuseOthers = refuseOtherMethods(app);
  addHealthRoutes(app, deps);
  addMetricsRoute(app, deps);
  refuseOthers();
  await app.ready();
  return app;
}
