/** A long connection to a simulator with waits scaled down, stopped by the caller's `t.after` or `stopAll`. */
import type { ProxyConfig } from '../../src/config/config.js';
import type { Receive } from '../../src/feishu/long-connection/link.js';
import {
  createLongConnection,
  type LongConnection,
  type LongConnectionDeps,
} from '../../src/feishu/long-connection/long-connection.js';
import type { LongConnectionStatus } from '../../src/feishu/long-connection/status.js';
import type { LongConnectionTimings } from '../../src/feishu/long-connection/timings.js';
import type { App } from '../simulator/directory.js';
import type { Simulator } from '../simulator/index.js';
import { type CapturedLog, captureLog } from './captured-log.js';

export const DIRECT: ProxyConfig = { httpProxy: null, httpsProxy: null, noProxy: null };

/** Thirty to sixty times as fast as the real ones. */
export const FAST: LongConnectionTimings = {
  reconnectBaseMs: 20,
  reconnectMaxMs: 400,
  pongTimeoutMs: 400,
  rotateAfterMs: 0,
  endpointTimeoutMs: 400,
  handshakeTimeoutMs: 400,
  stableAfterMs: 1_000,
  pingMinMs: 20,
  pingMaxMs: 500,
  refusedBaseMs: 100,
  refusedMaxMs: 400,
  limitRetryMs: 200,
  retireMs: 300,
  closeMs: 200,
};

/** What a connection needs to know of an app. */
export type TestApp = Pick<App, 'appId' | 'appSecret' | 'brand'>;

export interface TestConnection {
  readonly connection: LongConnection;
  readonly log: CapturedLog;
  /** Every status told by onChange, oldest first. */
  readonly changes: LongConnectionStatus[];
  /** The first status told that fits, now or later. */
  until(fits: (status: LongConnectionStatus) => boolean, timeoutMs?: number): Promise<LongConnectionStatus>;
  connected(timeoutMs?: number): Promise<LongConnectionStatus>;
  status(): LongConnectionStatus;
  stop(): Promise<void>;
}

export interface TestConnectionOptions {
  readonly app: TestApp;
  readonly baseUrl: string;
  readonly receive?: Receive;
  readonly timings?: Partial<LongConnectionTimings>;
  readonly deps?: Partial<LongConnectionDeps>;
}

/** Builds one; it is not started. */
export function newLongConnection(options: TestConnectionOptions): TestConnection {
  const { app, baseUrl, receive = async () => ({}), timings = {}, deps = {} } = options;
  const log = captureLog();
  const changes: LongConnectionStatus[] = [];
  const watchers = new Set<(status: LongConnectionStatus) => void>();
  const connection = createLongConnection({
    app: { appId: app.appId, appSecret: app.appSecret, brand: app.brand, openBaseUrl: baseUrl },
    proxy: DIRECT,
    timings: { ...FAST, ...timings },
    receive,
    logger: log.logger,
    random: Math.random,
    now: Date.now,
    onChange(status) {
      changes.push(status);
      for (const watcher of [...watchers]) watcher(status);
    },
    ...deps,
  });
  const until: TestConnection['until'] = (fits, timeoutMs = 20_000) => {
    const present = connection.status();
    if (fits(present)) return Promise.resolve(present);
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        watchers.delete(watcher);
      };
      const watcher = (status: LongConnectionStatus): void => {
        if (!fits(status)) return;
        stop();
        resolve(status);
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`waited ${timeoutMs} ms in vain; now ${JSON.stringify(connection.status())}\n${log.text()}`));
      }, timeoutMs);
      watchers.add(watcher);
    });
  };

  return {
    connection,
    log,
    changes,
    until,
    connected: (timeoutMs) => until(({ state }) => state === 'connected', timeoutMs),
    status: () => connection.status(),
    stop: () => connection.stop(500),
  };
}

/** A click as the gateway pushes it, without a card to click on. */
export function clickEnvelope(
  simulator: Simulator,
  app: TestApp,
  value: Record<string, unknown> = {},
): Record<string, unknown> {
  return simulator.envelope(app.appId, 'card.action.trigger', { action: { value }, operator: { open_id: 'ou_1' } });
}
