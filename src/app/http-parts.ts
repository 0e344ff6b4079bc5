/** The HTTP servers and the ports they look through: the store behind "Redis does not answer" as one clear error. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import type { AskRequest, AskResult } from '../domain/ask.js';
import type { Metrics } from '../domain/metrics.js';
import type { ReadinessReport } from '../domain/readiness.js';
import { isLive, type Session } from '../domain/session.js';
import { AuthdError } from '../errors.js';
import type { Forget } from '../flow/forget.js';
import type { Grants } from '../flow/grants.js';
import type { Hints } from '../flow/hints.js';
import { createClientRegistry } from '../http/clients.js';
import { readPageFiles } from '../http/page-files.js';
import { DEFAULT_HTTP_LIMITS, type HealthDeps, type HttpDeps } from '../http/ports.js';
import { buildHealthServer, buildServer } from '../http/server.js';
import type { LateJobs } from './late-producer.js';
import type { RequireRedis } from './once-reached.js';
import type { StoreParts } from './store-parts.js';

export interface ServerAt {
  readonly name: 'api' | 'health' | 'callback';
  /** 0 takes a free one. */
  readonly port: number;
  readonly server: FastifyInstance;
  /** Where there is more to say than the port. */
  readonly paths?: readonly string[];
}

const PORT_VARIABLES: Readonly<Record<ServerAt['name'], string>> = {
  api: 'HTTP_PORT',
  health: 'METRICS_PORT or HTTP_PORT',
  callback: 'CALLBACK_SERVER_PORT',
};

export interface HttpPartsDeps {
  readonly config: Config;
  readonly store: StoreParts;
  readonly logger: Logger;
  readonly readiness: (appId?: string) => Promise<ReadinessReport>;
  readonly scrape: HealthDeps['scrape'];
  readonly status: HttpDeps['status'];
  readonly statusPageDir: string;
  readonly metrics: Metrics;
  readonly ask: (request: AskRequest) => Promise<AskResult>;
  readonly forget: Forget['byClient'];
  readonly grants: Grants;
  readonly jobs: Pick<LateJobs, 'cardUpdate'>;
  readonly requireRedis: RequireRedis;
  readonly hints: Hints;
  readonly version: string;
  readonly now: () => number;
}

const DAY_MS = 86_400_000;
/** A long poll reads again at least this often: a notice may be lost while Redis is away. */
const REREAD_MS = 5_000;

export async function buildHttp(deps: HttpPartsDeps): Promise<ServerAt[]> {
  const { config } = deps;
  const isApi = config.roles.includes('api');
  const health: HealthDeps = {
    apps: config.apps,
    readiness: deps.readiness,
    scrape: deps.scrape,
    metrics: deps.metrics,
    logger: deps.logger,
    limits: DEFAULT_HTTP_LIMITS,
    tls: config.http.tls,
  };
  const main = isApi
    ? await buildServer({
        ...health,
        metrics: deps.metrics,
        ...apiDeps(deps),
        statusPage: await readPageFiles(deps.statusPageDir),
      })
    : await buildHealthServer(health);
  const servers: ServerAt[] = [{ name: isApi ? 'api' : 'health', port: config.http.port, server: main }];
  if (config.metricsPort !== null) {
    servers.push({ name: 'health', port: config.metricsPort, server: await buildHealthServer(health) });
  }
  return servers;
}

/** @throws AuthdError `config_invalid` when an address cannot be used */
export async function listen(servers: readonly ServerAt[], host: string, logger: Logger): Promise<void> {
  for (const { name, paths, port, server } of servers) {
    try {
      await server.listen({ host, port });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
      throw new AuthdError('config_invalid', `${PORT_VARIABLES[name]}: cannot listen on ${host}:${port} (${code})`, {
        remedy: 'Stop what uses the address, or choose another one.',
        cause: error,
      });
    }
    const bound = server.addresses()[0];
    const at = { host, port: typeof bound === 'object' ? bound.port : port };
    logger.info({ event: 'http.listening', server: name, ...at, paths }, 'HTTP is served');
  }
}

export async function closeServers(servers: readonly ServerAt[]): Promise<void> {
  await Promise.all(servers.map(({ server }) => server.close()));
}

function apiDeps(deps: HttpPartsDeps): Omit<HttpDeps, keyof HealthDeps | 'statusPage'> {
  const { config, logger, now, store } = deps;
  const appIds = config.apps.map((app) => app.appId);

  /** Whatever the store's library throws means: not now. Our own errors pass. */
  const guarded =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      try {
        await deps.requireRedis();
        return await call(...args);
      } catch (error) {
        throw error instanceof AuthdError ? error : notNow(error);
      }
    };

  const waitForEnd = async (sessionId: string, timeoutMs: number, signal: AbortSignal): Promise<Session | null> => {
    const deadline = now() + timeoutMs;
    for (;;) {
      const left = deadline - now();
      const notice = store.changes.wait(sessionId, Math.min(left, REREAD_MS));
      const stop = (): void => notice.cancel();
      signal.addEventListener('abort', stop, { once: true });
      try {
        const session = await store.sessions.get(sessionId);
        if (session === null || !isLive(session.state) || left <= 0 || signal.aborted) return session;
        await notice.promise;
      } finally {
        notice.cancel();
        signal.removeEventListener('abort', stop);
      }
    }
  };

  return {
    ask: guarded(deps.ask),
    sessions: {
      get: guarded(store.sessions.get),
      waitForEnd: guarded(waitForEnd),
      list: guarded(store.list),
      invalidate: guarded(async (sessionId: string) => {
        const result = await store.sessions.invalidate(sessionId);
        if (result?.ended === true) {
          const { appId, clientId, openId } = result.session;
          const ids = { session_id: sessionId, app_id: appId, client_id: clientId, open_id: openId };
          logger.info({ event: 'session.invalidated', ...ids }, 'An operator or the client ended the session');
          deps.hints.add(() => deps.jobs.cardUpdate(sessionId));
        }
        return result?.session ?? null;
      }),
      cleanup: guarded(async (expiryDays: number) => {
        let deleted = 0;
        for (const appId of appIds) deleted += await store.sessions.cleanup(appId, expiryDays * DAY_MS);
        return deleted;
      }),
    },
    grants: {
      status: guarded(deps.grants.status),
      read: guarded(deps.grants.read),
      renew: guarded(deps.grants.renew),
      used: deps.grants.used,
      forget: guarded(deps.forget),
    },
    status: deps.status,
    keyring: { status: guarded(store.keyring.status) },
    clients: createClientRegistry(config.clients),
    sessionTtlSeconds: config.session.ttlSeconds,
    version: deps.version,
    now,
  };
}

const notNow = (cause: unknown): AuthdError =>
  new AuthdError('upstream_unavailable', 'Redis does not answer right now', {
    remedy: 'Repeat the call; nothing is lost.',
    retryAfterSeconds: 2,
    cause,
  });
