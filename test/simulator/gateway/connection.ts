/**
 * One long connection as the gateway sees it: pings, pongs, frames out, acks in, and the ways it can be broken. Owns its
 * socket; which pushes go here and what acks mean is decided outside. Source: FEISHU.md §2.4, §2.5.
 */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { SocketFault } from '../fault-kinds.js';
import { reset } from '../http/listener.js';
import type { ClientConfig } from '../options.js';
import type { Timers } from '../timers.js';
import { CONTROL, decodeFrame, encodeFrame, type Frame, headerOf } from './frame.js';
import { GARBAGE, type GarbageKind } from './garbage.js';

export interface ConnectionDeps {
  id: string;
  appId: string;
  serviceId: number;
  socket: WebSocket;
  raw: Duplex;
  clientConfig: ClientConfig;
  timers: Timers;
  now: () => number;
  /** The socket faults in force for this connection now. */
  faults: () => SocketFault[];
  onAck: (frame: Frame, connection: Connection) => void;
  onPing: (connection: Connection) => void;
  onClose: (connection: Connection, code: number, reason: string) => void;
}

/** What a test or the control API may know of a connection. */
export interface ConnectionInfo {
  connectionId: string;
  appId: string;
  openedAt: number;
  /** Epoch milliseconds of every ping. */
  pings: number[];
  /** Frames pushed to it. */
  pushed: number;
  open: boolean;
}

export class Connection {
  readonly id: string;
  readonly appId: string;
  readonly openedAt: number;
  readonly pings: number[] = [];
  pushed = 0;
  #blackholed = false;
  #open = true;
  #deaf = false;
  readonly #deps: ConnectionDeps;

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
    this.id = deps.id;
    this.appId = deps.appId;
    this.openedAt = deps.now();
    deps.socket.on('message', (data, isBinary) => {
      if (isBinary && !this.#isBlackholed()) this.#receive(data as Buffer);
    });
    deps.socket.on('close', (code, reason) => {
      this.#open = false;
      deps.onClose(this, code, reason.toString('utf8'));
    });
    deps.socket.on('error', () => undefined);
    this.applyFaults();
  }

  get open(): boolean {
    return this.#open;
  }

  /** Whether the gateway still routes pushes here: not once the client has said that it closes. */
  get routable(): boolean {
    const { socket } = this.#deps;
    return (
      this.#open &&
      socket.readyState === socket.OPEN &&
      !this.#deaf &&
      !this.#deps.faults().some((fault) => fault.kind === 'deaf')
    );
  }

  get info(): ConnectionInfo {
    const { id, appId, openedAt, pings, pushed } = this;
    return { connectionId: id, appId, openedAt, pings: [...pings], pushed, open: this.#open };
  }

  /** Called when faults change: a black hole must stop reading at once, and read again when healed. */
  applyFaults(): void {
    if (!this.#open) return;
    if (this.#isBlackholed()) this.#deps.raw.pause();
    else if (this.#deps.raw.isPaused()) this.#deps.raw.resume();
  }

  push(frame: Frame): void {
    this.pushed += 1;
    this.sendRaw(encodeFrame({ ...frame, service: this.#deps.serviceId }));
  }

  /** Sends any bytes, also such that are no frame; text goes out as a text message. */
  sendRaw(data: Uint8Array | string): void {
    if (this.#open && !this.#isBlackholed()) this.#deps.socket.send(data);
  }

  sendGarbage(kind: GarbageKind): void {
    this.sendRaw(GARBAGE[kind]());
  }

  close(code = 1000, reason = ''): void {
    this.#deps.socket.close(code, reason);
  }

  /** TCP reset without a close frame. */
  terminate(): void {
    reset(this.#deps.raw);
    this.#deps.socket.terminate();
  }

  /** From now on nothing is read from or written to this connection, but it stays open. */
  blackhole(): void {
    this.#blackholed = true;
    this.applyFaults();
  }

  /** From now on pings are answered but nothing is routed here. */
  deafen(): void {
    this.#deaf = true;
  }

  #isBlackholed(): boolean {
    return this.#blackholed || this.#deps.faults().some((fault) => fault.kind === 'blackhole');
  }

  #receive(data: Buffer): void {
    let frame: Frame;
    try {
      frame = decodeFrame(data);
    } catch {
      this.close(1002, 'bad frame');
      return;
    }
    if (frame.method !== CONTROL) this.#deps.onAck(frame, this);
    else if (headerOf(frame, 'type') === 'ping') this.#answerPing();
  }

  #answerPing(): void {
    this.pings.push(this.#deps.now());
    this.#deps.onPing(this);
    let payload: string | null = JSON.stringify(this.#deps.clientConfig);
    let delayMs = 0;
    for (const fault of this.#deps.faults()) {
      if (fault.kind === 'no_pong') return;
      if (fault.kind === 'pong_payload') payload = fault.payload;
      if (fault.kind === 'pong_delay' && this.pings.length % (fault.every ?? 1) === 0) delayMs = fault.ms;
    }
    const pong = encodeFrame({
      SeqID: '0',
      LogID: '0',
      service: this.#deps.serviceId,
      method: CONTROL,
      headers: [{ key: 'type', value: 'pong' }],
      ...(payload === null ? {} : { payload: Buffer.from(payload) }),
    });
    if (delayMs === 0) this.sendRaw(pong);
    else this.#deps.timers.after(delayMs, () => this.sendRaw(pong));
  }
}
