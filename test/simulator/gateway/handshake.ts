/**
 * How the upgrade request is answered when it is not simply accepted: refusals with Feishu's Handshake-* headers, hangs,
 * resets. Source: FEISHU.md §2.2.
 */
import type { Duplex } from 'node:stream';
import type { HandshakeFault, RefuseHandshake } from '../fault-kinds.js';
import { reset } from '../http/listener.js';
import type { Timers } from '../timers.js';

/** How long after the first bytes of a broken 101 answer the connection is reset. */
const HALF_ANSWER_MS = 20;

export class Handshakes {
  readonly #waiting = new Set<Duplex>();
  readonly #timers: Timers;

  constructor(deps: { timers: Timers }) {
    this.#timers = deps.timers;
  }

  refuse(socket: Duplex, { status, handshakeStatus, authErrorCode, msg }: RefuseHandshake): void {
    const lines = [
      `HTTP/1.1 ${status} Refused`,
      'Connection: close',
      'Content-Length: 0',
      `Handshake-Status: ${handshakeStatus ?? status}`,
      `Handshake-Msg: ${msg ?? 'refused'}`,
      ...(authErrorCode === undefined ? [] : [`Handshake-Autherrcode: ${authErrorCode}`]),
    ];
    socket.end(`${lines.join('\r\n')}\r\n\r\n`);
  }

  /** Applies a fault, or accepts. */
  apply(fault: HandshakeFault | undefined, socket: Duplex, accept: () => void): void {
    switch (fault?.kind) {
      case 'refuse':
        this.refuse(socket, fault);
        return;
      case 'hang':
        this.#waiting.add(socket);
        return;
      case 'delay':
        this.#waiting.add(socket);
        this.#timers.after(fault.ms, () => {
          this.#waiting.delete(socket);
          if (!socket.destroyed) accept();
        });
        return;
      case 'reset':
        reset(socket);
        return;
      case 'half_answer':
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgr');
        this.#timers.after(HALF_ANSWER_MS, () => reset(socket));
        return;
      default:
        accept();
    }
  }

  /** Cuts the handshakes that hang. */
  close(): void {
    for (const socket of this.#waiting) socket.destroy();
  }
}
