/**
 * One link: one WSClient, one endpoint call, one socket, then over. It never reconnects and is never reused; whether
 * there is to be a connection at all is the supervisor's business.
 *
 * Owns the deadlines of coming up (endpoint, handshake, first answer to a ping), the end of the link for whatever
 * reason, and the handlers it has in hand. A link counts as up from the first inbound frame on, not from the 101: a
 * gateway that opens sockets and answers nothing is not a connection.
 *
 * The SDK runs with `autoReconnect: false`: it can then neither call the endpoint a second time nor leave a timer
 * behind, and the end of the socket is learnt from the socket itself (sdk-patch).
 */
import { randomUUID } from 'node:crypto';
import type { WSClient } from '@larksuiteoapi/node-sdk';
import type { Logger } from 'pino';
import type { AppConfig, ProxyConfig } from '../../config/config.js';
import { createWsAgent, proxyFor, proxyLabel } from '../proxy.js';
import { loadSdk } from '../sdk.js';
import { deferred } from './deferred.js';
import { pullEndpoint } from './endpoint.js';
import { type ConnectFailure, type FailureFacts, failure } from './failures.js';
import { createHands } from './hands.js';
import { judgeHandshake } from './handshake.js';
import { createSdkLogger } from './sdk-log.js';
import { type PatchedSocket, patchClient } from './sdk-patch.js';
import type { LongConnectionTimings } from './timings.js';

export type LinkApp = Pick<AppConfig, 'appId' | 'appSecret' | 'brand' | 'openBaseUrl'>;

/** What a receiver is told about where an envelope came from. */
export interface LinkView {
  readonly connectionId: string;
  /** false: an ack can no longer reach Feishu. */
  isOpen(): boolean;
}

/** The raw envelope (FEISHU.md §3.1) in, the ack's body out; a throw is acked with code 500. */
export type Receive = (payload: unknown, link: LinkView) => Promise<unknown>;

export interface LinkSignals {
  frame(): void;
  pong(): void;
  event(): void;
  dropped(kind: string): void;
  settingsIgnored(): void;
}

export interface LinkDeps {
  readonly app: LinkApp;
  readonly proxy: ProxyConfig;
  readonly timings: LongConnectionTimings;
  readonly receive: Receive;
  readonly signals: LinkSignals;
  readonly logger: Logger;
}

export interface Link extends LinkView {
  /** Settles once: null when the link is up, else why it did not come up. */
  readonly opened: Promise<ConnectFailure | null>;
  /** Settles once, when the link is over: why, or null when it was closed from here. Never before `opened`. */
  readonly ended: Promise<ConnectFailure | null>;
  /** Settles when its socket is gone as well. */
  readonly gone: Promise<void>;
  /** Host of the gateway, once known. */
  host(): string | null;
  hasSocket(): boolean;
  inHand(): number;
  /** Pings now and ends the link when the answer does not come soon. */
  probe(): void;
  /**
   * Waits for handlers in hand, then closes properly; a link that is not up is cut. Resolves when the socket is gone,
   * with the number of handlers that were still at work.
   */
  close(drainMs: number): Promise<number>;
  /** Cuts the link now. */
  abort(): void;
}

/** The SDK silently ignores every other shape (FEISHU.md §2.6). */
const APP_ID = /^cli_[0-9a-fA-F]{16}$/;
/** Beyond the sum of all deadlines: reached only when the SDK does something new. */
const STUCK_SLACK_MS = 5_000;

export function createLink(deps: LinkDeps): Link {
  const { app, timings, signals, logger } = deps;
  const connectionId = randomUUID();
  const { promise: opened, resolve: resolveOpened } = deferred<ConnectFailure | null>();
  const { promise: ended, resolve: resolveEnded } = deferred<ConnectFailure | null>();
  const { promise: gone, resolve: resolveGone } = deferred<void>();
  const cut = new AbortController();
  const hands = createHands();
  let phase: 'opening' | 'up' | 'over' = 'opening';
  let client: WSClient | null = null;
  let socket: PatchedSocket | null = null;
  let gateway: { host: string; proxy?: string } | null = null;
  let called = false;

  const deadline = timings.endpointTimeoutMs + timings.handshakeTimeoutMs + timings.pongTimeoutMs + STUCK_SLACK_MS;
  const stuckTimer = setTimeout(() => end(failure('stuck')), deadline);

  /** The only way a link ends; late signals of a link that is over stop here. */
  function end(why: ConnectFailure | null, force = true): void {
    if (phase === 'over') return;
    const wasUp = phase === 'up';
    phase = 'over';
    clearTimeout(stuckTimer);
    client?.close({ force });
    if (force) {
      socket?.terminate();
      cut.abort();
    }
    resolveOpened(wasUp ? null : (why ?? failure('dropped')));
    resolveEnded(why);
    void (socket?.gone() ?? Promise.resolve()).then(resolveGone);
  }

  function up(): void {
    signals.frame();
    if (phase !== 'opening') return;
    phase = 'up';
    clearTimeout(stuckTimer);
    resolveOpened(null);
  }

  const facts = (): FailureFacts => gateway ?? {};
  const view: LinkView = { connectionId, isOpen: () => phase !== 'over' && (socket?.isOpen() ?? false) };

  async function callEndpoint(call: {
    url?: string;
    headers?: Record<string, string>;
    data?: unknown;
  }): Promise<unknown> {
    // Whatever the SDK is up to: one link, one call.
    if (called || phase !== 'opening') throw new Error('a link calls the endpoint once');
    called = true;
    const { url = '', headers = {}, data } = call;
    const limits = { proxy: deps.proxy, timeoutMs: timings.endpointTimeoutMs, signal: cut.signal };
    const result = await pullEndpoint({ url, headers, body: data }, limits);
    if (!result.ok) {
      end(result.failure);
      throw new Error('no connection address');
    }
    const route = proxyFor(result.url, deps.proxy);
    gateway = { host: new URL(result.url).host, ...(route === null ? {} : { proxy: proxyLabel(route) }) };
    return { code: 0, msg: '', data: { URL: result.url, ClientConfig: result.clientConfig } };
  }

  async function receive(payload: unknown): Promise<unknown> {
    const done = hands.take();
    try {
      return await deps.receive(payload, view);
    } catch (error) {
      const name = error instanceof Error ? error.name : typeof error;
      logger.warn(
        { event: 'ws.event_not_accepted', app_id: app.appId, connection_id: connectionId, error: name },
        'An event could not be accepted; Feishu is asked to send it again',
      );
      throw new Error('not accepted', { cause: error });
    } finally {
      done();
    }
  }

  function open(): void {
    const sdk = loadSdk();
    const sdkLogger = createSdkLogger(logger, { app_id: app.appId, connection_id: connectionId });
    const loggerLevel = sdk.LoggerLevel.info;
    const httpInstance = { request: callEndpoint };
    client = new sdk.WSClient({
      appId: app.appId,
      appSecret: app.appSecret,
      // The SDK joins by text: a slash at the end would make it call `//callback/…`.
      domain: app.openBaseUrl.replace(/\/+$/, ''),
      autoReconnect: false,
      httpInstance: httpInstance as unknown as NonNullable<
        ConstructorParameters<typeof sdk.WSClient>[0]['httpInstance']
      >,
      logger: sdkLogger,
      loggerLevel,
      onError: () => end(failure('stuck', facts())),
    });
    const agentFor = (url: string) => createWsAgent(url, deps.proxy, cut.signal);
    socket = patchClient(
      client,
      { ...timings, agentFor },
      {
        ...signals,
        frame: up,
        handshakeFailed: (why) => end(judgeHandshake(why, facts())),
        pongMissed: () => end(failure('no_pong', facts())),
        closed: (closeCode) => end(failure('dropped', { ...facts(), closeCode })),
      },
    );
    const eventDispatcher = new sdk.EventDispatcher({ logger: sdkLogger, loggerLevel });
    // Its own invoke answers events without a handler with a string, which Feishu takes for success.
    eventDispatcher.invoke = receive;
    client.start({ eventDispatcher }).catch(() => end(failure('stuck')));
  }

  if (!APP_ID.test(app.appId)) {
    end(failure('app_id_invalid'));
  } else {
    try {
      open();
    } catch {
      end(failure('sdk_changed'));
    }
  }

  return {
    ...view,
    opened,
    ended,
    gone,
    host: () => gateway?.host ?? null,
    hasSocket: () => socket?.exists() ?? false,
    inHand: hands.count,
    probe: () => socket?.probe(),
    async close(drainMs) {
      if (phase === 'up') await hands.empty(drainMs, ended);
      const cutShort = hands.count();
      end(null, phase !== 'up');
      const timer = setTimeout(() => socket?.terminate(), timings.closeMs);
      await gone;
      clearTimeout(timer);
      return cutShort;
    },
    abort() {
      end(null);
      socket?.terminate();
    },
  };
}
