/** HTTP callbacks: what tells Feishu's from others, the memory against replays, and where they go. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import type { Metrics } from '../domain/metrics.js';
import { createHttpCallbacks } from '../feishu/http-callback/http-callbacks.js';
import type { Hints } from '../flow/hints.js';
import type { ReceiveFor } from '../flow/receive.js';
import { createReceiveHttp } from '../flow/receive-http.js';
import { addCardCallbackRoute } from '../http/callback/card-callback.js';
import { createReplayMemory } from '../store/replay-memory.js';
import type { FloodGate } from '../telemetry/flood-gate.js';
import { appsBy } from './click-parts.js';
import { onceReached, type RequireRedis } from './once-reached.js';
import type { StoreParts } from './store-parts.js';

export interface CardCallbackPartsDeps {
  readonly config: Pick<Config, 'apps' | 'roles'>;
  readonly store: Pick<StoreParts, 'redis' | 'keys'>;
  readonly requireRedis: RequireRedis;
  readonly receive: ReceiveFor;
  readonly hints: Hints;
  readonly metrics: Pick<Metrics, 'eventReceived'>;
  readonly gate: FloodGate;
  readonly now: () => number;
  readonly logger: Logger;
}

export interface CardCallbackParts {
  /** Adds the route to an instance of its own; nothing where no app of this process needs it. */
  routes(app: FastifyInstance): void;
  /** Resolves when every callback that is in hand now has its answer. */
  settled(): Promise<void>;
}

const NONE: CardCallbackParts = { routes: () => undefined, settled: async () => undefined };

export function buildCardCallbacks(deps: CardCallbackPartsDeps): CardCallbackParts {
  const { config, gate, hints, logger, metrics, now, receive } = deps;
  const apps = appsBy(config, 'http');
  if (apps.length === 0 || !config.roles.includes('api')) return NONE;
  const memory = onceReached(createReplayMemory(deps.store), deps.requireRedis);
  const callbacks = createHttpCallbacks({ apps, memory, now, logger });
  const receiveHttp = createReceiveHttp({ open: callbacks.open, receive, hints, metrics, log: gate });
  return {
    routes: (app) => addCardCallbackRoute(app, { has: callbacks.has, ...receiveHttp }),
    settled: receiveHttp.settled,
  };
}
