/**
 * The gateway's doors: tickets for connections, the WebSocket handshake with its faults, the connection limit, and the
 * list of live connections per app. Source: FEISHU.md §2.1, §2.2.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { EventStream } from '../event-stream.js';
import type { Faults, HandshakeFault } from '../faults.js';
import { reset } from '../http/listener.js';
import type { Settings } from '../options.js';
import { digits, hex, type SecretBook, uuid } from '../secret-book.js';
import type { Timers } from '../timers.js';
import { Connection } from './connection.js';
import type { Frame } from './frame.js';

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

interface Ticket {
  appId: string;
  accessKey: string;
  serviceId: number;
  expiresAt: number;
}

export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #tickets = new Map<string, Ticket>();
  readonly #live = new Set<Connection>();
  readonly #lingering = new Map<string, number>();
  readonly #waiting = new Set<Duplex>();
  readonly #server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 32 * 1024 * 1024 });
  #count = 0;
  #closed = false;

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
  }

  /** The URL for one connection. `fpid` comes first because clients parse the whole URL as a query (FEISHU.md §2.1). */
  issueUrl(appId: string, baseUrl: string): string {
    const ticket = this.#deps.secrets.keep('ws_ticket', uuid());
    const accessKey = this.#deps.secrets.keep('ws_access_key', hex(16));
    const serviceId = 33_554_678;
    this.#tickets.set(ticket, {
      appId,
      accessKey,
      serviceId,
      expiresAt: this.#deps.settings.now() + this.#deps.settings.limits.ticketLifeMs,
    });
    const query = `fpid=493&aid=552564&device_id=${digits(19)}&access_key=${accessKey}&service_id=${serviceId}&ticket=${ticket}`;
    return `${baseUrl.replace(/^http/, 'ws')}/ws/v2?${query}`;
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
    const url = new URL(request.url ?? '/', 'http://simulator');
    const ticket = this.#tickets.get(url.searchParams.get('ticket') ?? '');
    const fits = ticket && url.pathname === '/ws/v2' && ticket.accessKey === url.searchParams.get('access_key');
    if (!fits || ticket.expiresAt < this.#deps.settings.now()) {
      this.#refuse(socket, { on: 'handshake', kind: 'refuse', status: 403, handshakeStatus: 403, msg: 'Forbidden' });
      return;
    }
    this.#tickets.delete(url.searchParams.get('ticket') ?? '');
    const fault = this.#deps.faults.takeHandshake(ticket.appId);
    if (!fault && this.isFull(ticket.appId)) {
      const msg = 'connection limit exceeded';
      this.#refuse(socket, {
        on: 'handshake',
        kind: 'refuse',
        status: 400,
        handshakeStatus: 514,
        authErrorCode: 1000040350,
        msg,
      });
      return;
    }
    this.#applyHandshakeFault(fault, socket, () => this.#accept(ticket, request, socket, head, fault));
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#live) connection.terminate();
    for (const socket of this.#waiting) socket.destroy();
    this.#server.close();
  }

  #applyHandshakeFault(fault: HandshakeFault | undefined, socket: Duplex, accept: () => void): void {
    switch (fault?.kind) {
      case 'refuse':
        this.#refuse(socket, fault);
        return;
      case 'hang':
        this.#waiting.add(socket);
        return;
      case 'delay':
        this.#waiting.add(socket);
        this.#deps.timers.after(fault.ms, () => {
          this.#waiting.delete(socket);
          if (!socket.destroyed) accept();
        });
        return;
      case 'reset':
        reset(socket);
        return;
      case 'half_answer':
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgr');
        this.#deps.timers.after(20, () => reset(socket));
        return;
      default:
        accept();
    }
  }

  #refuse(socket: Duplex, fault: Extract<HandshakeFault, { kind: 'refuse' }>): void {
    const lines = [`HTTP/1.1 ${fault.status} Refused`, 'Connection: close', 'Content-Length: 0'];
    lines.push(
      `Handshake-Status: ${fault.handshakeStatus ?? fault.status}`,
      `Handshake-Msg: ${fault.msg ?? 'refused'}`,
    );
    if (fault.authErrorCode !== undefined) lines.push(`Handshake-Autherrcode: ${fault.authErrorCode}`);
    this.#deps.events.emit('handshake.refused', { status: fault.status });
    socket.end(`${lines.join('\r\n')}\r\n\r\n`);
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
