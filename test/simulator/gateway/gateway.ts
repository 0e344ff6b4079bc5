/**
 * The gateway's door: who may open a connection, the connection limit, and the list of live connections per app. Source: FEISHU.md §2.1, §2.2.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { EventStream } from '../event-stream.js';
import type { HandshakeFault, RefuseHandshake } from '../fault-kinds.js';
import type { Faults } from '../faults.js';
import type { Settings } from '../options.js';
import type { SecretBook } from '../secret-book.js';
import type { Timers } from '../timers.js';
import { Connection } from './connection.js';
import type { Frame } from './frame.js';
import { Handshakes } from './handshake.js';
import { type Ticket, Tickets } from './tickets.js';

export interface GatewayDeps {
  settings: Settings;
  secrets: SecretBook;
  events: EventStream;
  faults: Faults;
  timers: Timers;
  /** The frames to write together with the 101 answer of the next connection of an app. */
  firstFrames: (appId: string) => ((connection: Connection) => void)[];
  onAck: (frame: Frame, connection: Connection) => void;
}

const CONNECTION_LIMIT = 1000040350;

export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #tickets: Tickets;
  readonly #handshakes: Handshakes;
  readonly #live = new Set<Connection>();
  readonly #lingering = new Map<string, number>();
  readonly #server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 32 * 1024 * 1024 });
  #count = 0;
  #closed = false;

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    this.#tickets = new Tickets(deps);
    this.#handshakes = new Handshakes(deps);
  }

  issueUrl(appId: string, baseUrl: string): string {
    return this.#tickets.issueUrl(appId, baseUrl);
  }

  connections(appId?: string): Connection[] {
    return [...this.#live].filter((connection) => appId === undefined || connection.appId === appId);
  }

  /** Slots in use, those of connections that died badly and still linger included. */
  slots(appId: string): number {
    return this.connections(appId).length + (this.#lingering.get(appId) ?? 0);
  }

  isFull(appId: string): boolean {
    return this.slots(appId) >= this.#deps.settings.limits.connectionsPerApp;
  }

  applyFaults(): void {
    for (const connection of this.#live) connection.applyFaults();
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined);
    if (this.#closed) {
      socket.destroy();
      return;
    }
    const ticket = this.#tickets.redeem(request.url ?? '/');
    if (!ticket) {
      this.#refuse(socket, { kind: 'refuse', status: 403, msg: 'Forbidden' });
      return;
    }
    const fault = this.#deps.faults.takeHandshake(ticket.appId);
    if (!fault && this.isFull(ticket.appId)) {
      const codes = { handshakeStatus: 514, authErrorCode: CONNECTION_LIMIT };
      this.#refuse(socket, { kind: 'refuse', status: 400, ...codes, msg: 'connection limit exceeded' }, ticket.appId);
      return;
    }
    this.#handshakes.apply(fault, socket, () => this.#accept(ticket, request, socket, head, fault));
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#live) connection.terminate();
    this.#handshakes.close();
    this.#server.close();
  }

  #refuse(socket: Duplex, refusal: RefuseHandshake, appId?: string): void {
    this.#deps.events.emit('handshake.refused', { app_id: appId, status: refusal.status });
    this.#handshakes.refuse(socket, refusal);
  }

  #accept(
    ticket: Ticket,
    request: IncomingMessage,
    raw: Duplex,
    head: Buffer,
    fault: HandshakeFault | undefined,
  ): void {
    const first = this.#deps.firstFrames(ticket.appId);
    // Corked, so that the 101 answer and the first frames leave in one write (FAILURES A: first frame with the upgrade).
    if (first.length > 0) raw.cork();
    this.#server.handleUpgrade(request, raw, head, (socket) => {
      const connection = this.#register(ticket, socket, raw);
      for (const write of first) write(connection);
      if (fault?.kind === 'accept_then_close') {
        this.#deps.timers.after(fault.ms, () =>
          fault.code === undefined ? connection.terminate() : connection.close(fault.code),
        );
      }
    });
    if (first.length > 0) raw.uncork();
  }

  #register(ticket: Ticket, socket: WebSocket, raw: Duplex): Connection {
    this.#count += 1;
    const { settings, events, faults, timers } = this.#deps;
    const id = `conn-${this.#count}`;
    const connection = new Connection({
      id,
      appId: ticket.appId,
      serviceId: ticket.serviceId,
      socket,
      raw,
      clientConfig: settings.clientConfig,
      timers,
      now: settings.now,
      faults: () => faults.socketFaults(ticket.appId, id),
      onAck: this.#deps.onAck,
      onPing: () => events.emit('connection.ping', { app_id: ticket.appId, connection_id: id }),
      onClose: (gone, code, reason) => this.#forget(gone, code, reason),
    });
    this.#live.add(connection);
    events.emit('connection.opened', {
      app_id: ticket.appId,
      connection_id: id,
      live: this.connections(ticket.appId).length,
    });
    return connection;
  }

  #forget(connection: Connection, code: number, reason: string): void {
    this.#live.delete(connection);
    const { appId } = connection;
    const lingerMs = this.#deps.settings.limits.connectionLingerMs;
    if (code === 1006 && lingerMs > 0) {
      this.#lingering.set(appId, (this.#lingering.get(appId) ?? 0) + 1);
      this.#deps.timers.after(lingerMs, () => this.#lingering.set(appId, (this.#lingering.get(appId) ?? 1) - 1));
    }
    this.#deps.events.emit('connection.closed', {
      app_id: appId,
      connection_id: connection.id,
      code,
      reason,
      live: this.connections(appId).length,
    });
  }
}
