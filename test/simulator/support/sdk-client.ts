/**
 * The official SDK as a client of the simulator: a WSClient that is ready, and what it was given. For conformance tests.
 */
import { EventDispatcher, LoggerLevel, WSClient } from '@larksuiteoapi/node-sdk';
import type { App } from '../directory.js';
import type { Simulator } from '../simulator.js';

/** A logger that says nothing: the SDK prints refusals that a test provokes. */
export const silent = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  trace: () => undefined,
};

export type Handlers = Record<string, (data: unknown) => unknown>;

export interface SdkClient {
  client: WSClient;
  reconnects: { reconnecting: number; reconnected: number };
  close(): void;
}

/** A running WSClient. Resolves once it is ready (`onReady`), rejects when it fails for good. */
export function connectSdk(
  simulator: Simulator,
  app: App,
  handlers: Handlers,
  options: { pingTimeoutSeconds?: number } = {},
): Promise<SdkClient> {
  const reconnects = { reconnecting: 0, reconnected: 0 };
  return new Promise((resolve, reject) => {
    const client = new WSClient({
      appId: app.appId,
      appSecret: app.appSecret,
      domain: simulator.baseUrl,
      logger: silent,
      loggerLevel: LoggerLevel.error,
      handshakeTimeoutMs: 5000,
      ...(options.pingTimeoutSeconds === undefined ? {} : { wsConfig: { pingTimeout: options.pingTimeoutSeconds } }),
      onReady: () => resolve({ client, reconnects, close: () => client.close({ force: true }) }),
      onError: reject,
      onReconnecting: () => {
        reconnects.reconnecting += 1;
      },
      onReconnected: () => {
        reconnects.reconnected += 1;
      },
    });
    const eventDispatcher = new EventDispatcher({ logger: silent, loggerLevel: LoggerLevel.error }).register(handlers);
    client.start({ eventDispatcher }).catch(reject);
  });
}

/** A small valid card. */
export const card = (text: string): Record<string, unknown> => ({
  schema: '2.0',
  config: { update_multi: true },
  header: { title: { tag: 'plain_text', content: text } },
  body: { elements: [{ tag: 'markdown', content: text }] },
});
