/** One long connection for each app whose clicks and events come that way; none is started here. */
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import type { Metrics } from '../domain/metrics.js';
import { createLongConnection, type LongConnection } from '../feishu/long-connection/long-connection.js';
import { longConnectionTimings } from '../feishu/long-connection/timings.js';
import type { ReceiveFor } from '../flow/receive.js';
import { appsBy } from './click-parts.js';
import { countReconnects } from './metrics-parts.js';

export interface ConnectionPartsDeps {
  readonly config: Config;
  readonly receive: ReceiveFor;
  /** A connection has come into another state. */
  readonly onChange: () => void;
  readonly metrics: Pick<Metrics, 'wsReconnecting'>;
  readonly logger: Logger;
  readonly random: () => number;
  readonly now: () => number;
}

export function buildConnections(deps: ConnectionPartsDeps): LongConnection[] {
  const { config, logger, metrics, now, random, receive } = deps;
  return appsBy(config, 'long_connection').map((app) => {
    const countReconnect = countReconnects(metrics);
    return createLongConnection({
      app,
      proxy: config.proxy,
      timings: longConnectionTimings(config.ws),
      receive: (payload, link) => receive(app.appId, payload, link),
      onChange(status) {
        countReconnect(status);
        deps.onChange();
      },
      logger,
      random,
      now,
    });
  });
}
