/** HTTP callbacks: what tells Feishu's from others, the memory against replays, and where they go. */
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import type { Metrics } from '../domain/metrics.js';
import { createHttpCallbacks } from '../feishu/http-callback/http-callbacks.js';
import type { Hints } from '../flow/hints.js';
import type { ReceiveFor } from '../flow/receive.js';
import { createReceiveHttp, type ReceiveHttp } from '../flow/receive-http.js';
import type { CardCallbackDeps } from '../http/callback/card-callback.js';
import { createReplayMemory } from '../store/replay-memory.js';
import type { FloodGate } from '../telemetry/flood-gate.js';
import { appsBy } from './click-parts.js';
import type { StoreParts } from './store-parts.js';

export interface CardCallbackPartsDeps {
  readonly config: Pick<Config, 'apps'>;
  readonly store: Pick<StoreParts, 'redis' | 'keys'>;
  readonly receive: ReceiveFor;
  readonly hints: Hints;
  readonly metrics: Pick<Metrics, 'eventReceived'>;
  readonly gate: FloodGate;
  readonly now: () => number;
  readonly logger: Logger;
}

export type CardCallbackParts = CardCallbackDeps & Pick<ReceiveHttp, 'settled'>;

export function buildCardCallbacks(deps: CardCallbackPartsDeps): CardCallbackParts {
  const { gate, hints, logger, metrics, now, receive } = deps;
  const memory = createReplayMemory(deps.store);
  const callbacks = createHttpCallbacks({ apps: appsBy(deps.config, 'http'), memory, now, logger });
  const receiveHttp = createReceiveHttp({ open: callbacks.open, receive, hints, metrics, log: gate });
  return { has: callbacks.has, ...receiveHttp };
}
