/**
 * The one place that touches internals of the SDK's WSClient (sdk-internals.ts names them, a contract test pins them).
 * Patches one client object, never a prototype.
 *
 * What is mended, and why (FEISHU.md §2, FAILURES area A):
 * - connect: listeners are attached while `open` is being emitted, so a frame in the same TCP segment as the 101 is
 *   dispatched; why a handshake was refused (Handshake-* headers) and with which code a socket closed becomes known;
 *   our agent, a payload limit, a deadline.
 * - armLiveness: a ping does not re-arm a running watchdog, else pings more frequent than the timeout keep it from ever
 *   firing; a watchdog that fires late because the process stood still gives the waiting frames a moment to be read.
 * - updateWs: intervals from the endpoint and from pongs are checked; 0, NaN or over 2^31 ms mean 600 pings a second.
 * - sendMessage: acks of one turn of the event loop leave in one write; under load that is a third more of them.
 * - handleEventData: `type=card` goes the way of `type=event` and is acked as `card`; what is dropped is reported.
 *
 * Owns no decision: what happened is told to the hooks.
 */
import type { Agent } from 'node:http';
import type { Socket } from 'node:net';
import type { WSClient } from '@larksuiteoapi/node-sdk';
import WebSocket from 'ws';
import { type Frame, type Header, type Internals, internalsOf } from './sdk-internals.js';

const LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024;
/** The SDK allocates an array of `sum` places before any fragment is there. */
const MOST_FRAGMENTS = 1024;
/** A watchdog that fires this much too late met a process that stood still. */
const STALL_MS = 1_000;
const AFTER_STALL_MS = 2_000;
const PROBE_MS = 10_000;

export interface SocketOptions {
  readonly handshakeTimeoutMs: number;
  readonly pongTimeoutMs: number;
  readonly pingMinMs: number;
  readonly pingMaxMs: number;
  readonly agentFor: (url: string) => Agent | undefined;
}

/** Why there is no open socket. `refused` comes with the HTTP answer's status and headers. */
export type HandshakeFailure =
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    }
  | { readonly kind: 'error'; readonly error: unknown }
  | { readonly kind: 'timeout' };

/** Told synchronously, in the order things happen. */
export interface SocketHooks {
  handshakeFailed(why: HandshakeFailure): void;
  /** Any inbound frame. */
  frame(): void;
  pong(): void;
  event(): void;
  /** An inbound frame nobody will handle or ack. */
  dropped(kind: string): void;
  /** The gateway sent a ping interval that cannot be meant. */
  settingsIgnored(): void;
  pongMissed(): void;
  closed(closeCode: number): void;
}

export interface PatchedSocket {
  isOpen(): boolean;
  /** True from the first SYN until the socket is gone, also while it closes. */
  exists(): boolean;
  /** Settles when the socket is gone; at once when there is none. Only after `client.close()`, which takes listeners away. */
  gone(): Promise<void>;
  terminate(): void;
  /** Pings now and wants the answer soon: for a clock that jumped. */
  probe(): void;
}

/** Throws when the client does not look like the version this file was written for. */
export function patchClient(client: WSClient, options: SocketOptions, hooks: SocketHooks): PatchedSocket {
  const internals = internalsOf(client);
  const { wsConfig } = internals;
  let socket: WebSocket | null = null;
  let wire: Socket | null = null;
  guardSettings(internals, options, hooks);
  guardFrames(internals, hooks);
  gatherWrites(internals, () => wire);
  const startWatch = replaceWatchdog(internals, options, hooks);
  const attachSdkListeners = internals.communicate.bind(client);
  internals.communicate = () => undefined;

  internals.connect = () =>
    new Promise((resolve) => {
      const url = wsConfig.getWS().connectUrl;
      let current: WebSocket;
      try {
        const agent = options.agentFor(url);
        current = new WebSocket(url, { agent, maxPayload: LARGEST_MESSAGE_BYTES, followRedirects: false });
      } catch (error) {
        hooks.handshakeFailed({ kind: 'error', error });
        resolve(false);
        return;
      }
      socket = current;
      let settled = false;
      const giveUp = (why: HandshakeFailure): void => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        current.terminate();
        hooks.handshakeFailed(why);
        resolve(false);
      };
      const timer = setTimeout(() => giveUp({ kind: 'timeout' }), options.handshakeTimeoutMs);
      // Stays for the socket's life: ws reports an aborted handshake later, and an error nobody hears ends the process.
      current.on('error', (error) => giveUp({ kind: 'error', error }));
      current.once('unexpected-response', (_request, response) => {
        response.resume();
        giveUp({ kind: 'refused', status: response.statusCode ?? 0, headers: response.headers });
      });
      current.once('upgrade', (response) => {
        wire = response.socket;
      });
      current.once('open', () => {
        settled = true;
        clearTimeout(timer);
        current.on('close', (closeCode) => hooks.closed(closeCode));
        wsConfig.setWSInstance(current);
        watchDecoding(current, internals, hooks, attachSdkListeners);
        internals.pingLoop();
        resolve(true);
      });
    });

  return {
    isOpen: () => socket?.readyState === WebSocket.OPEN,
    exists: () => socket !== null && socket.readyState !== WebSocket.CLOSED,
    gone: async () => {
      const current = socket;
      if (current === null || current.readyState === WebSocket.CLOSED) return;
      await new Promise<void>((resolve) => current.once('close', () => resolve()));
    },
    terminate: () => socket?.terminate(),
    probe() {
      if (socket?.readyState !== WebSocket.OPEN) return;
      internals.clearLiveness();
      startWatch(Math.min(options.pongTimeoutMs, PROBE_MS));
      clearTimeout(internals.pingInterval);
      internals.pingLoop();
    },
  };
}

function guardSettings(internals: Internals, options: SocketOptions, hooks: SocketHooks): void {
  const { wsConfig } = internals;
  const update = wsConfig.updateWs.bind(wsConfig);
  wsConfig.updateWs = (change) => {
    const safe = { ...change };
    if ('pingInterval' in change) {
      const asked = change.pingInterval;
      const usable = typeof asked === 'number' && Number.isFinite(asked) && asked > 0;
      if (!usable) hooks.settingsIgnored();
      const wanted = usable ? asked : wsConfig.getWS().pingInterval;
      safe.pingInterval = Math.min(Math.max(wanted, options.pingMinMs), options.pingMaxMs);
    }
    if (change.connectUrl !== undefined && URL.canParse(change.connectUrl)) {
      // The SDK reads the whole URL as a query and so misses a service_id that comes first.
      safe.serviceId = new URL(change.connectUrl).searchParams.get('service_id') ?? '0';
    }
    update(safe);
  };
}

/** Returns the function that starts the watchdog for a given number of milliseconds. */
function replaceWatchdog(internals: Internals, options: SocketOptions, hooks: SocketHooks): (ms: number) => void {
  const startWatch = (ms: number): void => {
    const due = performance.now() + ms;
    internals.livenessTimer = setTimeout(() => {
      internals.livenessTimer = undefined;
      if (performance.now() - due > STALL_MS) startWatch(Math.min(options.pongTimeoutMs, AFTER_STALL_MS));
      else hooks.pongMissed();
    }, ms);
  };
  internals.armLiveness = () => {
    if (internals.livenessTimer === undefined) startWatch(options.pongTimeoutMs);
  };
  return startWatch;
}

function guardFrames(internals: Internals, hooks: SocketHooks): void {
  const { dataCache } = internals;
  const handleControl = internals.handleControlData.bind(internals);
  const handleEvent = internals.handleEventData.bind(internals);
  const send = internals.sendMessage.bind(internals);
  const merge = dataCache.mergeData.bind(dataCache);
  /** The stand-ins given to the SDK, by identity: its ack copies the list of headers, not the headers. */
  const standIns = new WeakMap<Header, Header>();

  internals.handleControlData = (frame) => {
    const type = typeOf(frame)?.value;
    if (type === 'pong') hooks.pong();
    else if (type !== 'ping') hooks.dropped(`control:${type}`);
    return handleControl(frame);
  };
  internals.handleEventData = async (frame) => {
    const type = typeOf(frame);
    if (type?.value !== 'event' && type?.value !== 'card') {
      hooks.dropped(`data:${type?.value}`);
      return;
    }
    hooks.event();
    if (type.value === 'event') return handleEvent(frame);
    const standIn: Header = { key: type.key, value: 'event' };
    standIns.set(standIn, type);
    frame.headers = frame.headers.map((header) => (header === type ? standIn : header));
    return handleEvent(frame);
  };
  internals.sendMessage = (frame) =>
    send({ ...frame, headers: frame.headers.map((header) => standIns.get(header) ?? header) });
  dataCache.mergeData = (fragment) => {
    try {
      if (fragment.sum > MOST_FRAGMENTS) throw new Error('too many fragments');
      const merged = merge(fragment);
      if (!merged && fragment.sum === 1) hooks.dropped('empty payload');
      return merged;
    } catch (error) {
      hooks.dropped('bad payload');
      throw error;
    }
  };
}

function gatherWrites(internals: Internals, wireNow: () => Socket | null): void {
  const send = internals.sendMessage.bind(internals);
  internals.sendMessage = (frame) => {
    const wire = wireNow();
    if (wire !== null && wire.writableCorked === 0) {
      wire.cork();
      process.nextTick(() => wire.uncork());
    }
    return send(frame);
  };
}

function typeOf(frame: Frame): Header | undefined {
  return frame.headers.find(({ key }) => key === 'type');
}

/**
 * Attaches the SDK's listeners between two of ours. The SDK decodes and hands on a frame within the same tick, so a
 * frame that has reached neither handler when the second listener runs was not decodable.
 */
function watchDecoding(
  socket: WebSocket,
  internals: Internals,
  hooks: SocketHooks,
  attachSdkListeners: () => void,
): void {
  const { handleControlData, handleEventData } = internals;
  let handedOn = false;
  internals.handleControlData = (frame) => {
    handedOn = true;
    return handleControlData(frame);
  };
  internals.handleEventData = (frame) => {
    handedOn = true;
    return handleEventData(frame);
  };
  socket.on('message', () => {
    handedOn = false;
    hooks.frame();
  });
  attachSdkListeners();
  socket.on('message', () => {
    if (!handedOn) hooks.dropped('undecodable');
  });
}
