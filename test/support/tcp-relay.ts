/**
 * A TCP relay on loopback whose wire a test can break: cut, black-holed, turned to another target, refusing, or in the
 * hands of something that is no Redis. Owns its sockets; knows nothing of what flows through them.
 */
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';

/**
 * What becomes of new connections: passed on, closed at once, answered with bytes that are no protocol of ours, or
 * refused because nobody listens.
 */
export type RelayMode = 'pass' | 'close' | 'garbage' | 'refuse';

export interface TcpRelay {
  readonly port: number;
  /** Connections taken since the start. */
  readonly accepted: number;
  /** New connections go to this port of loopback; open ones stay where they are. */
  target(port: number): void;
  mode(mode: RelayMode): void;
  /** Resets every open connection. */
  cut(): void;
  /**
   * Open connections stay open and nothing passes any more, in either direction. `matches` gets the port by which the
   * target knows the connection (CLIENT LIST `addr`).
   */
  blackhole(matches?: (upstreamPort: number) => boolean): void;
  close(): Promise<void>;
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

export async function newTcpRelay(): Promise<TcpRelay> {
  const pairs = new Set<Pair>();
  const strays = new Set<Socket>();
  let targetPort = 0;
  let mode: RelayMode = 'pass';
  let accepted = 0;

  const pass = (near: Socket): void => {
    const far = createConnection({ host: '127.0.0.1', port: targetPort });
    const pair: Pair = { near, far };
    pairs.add(pair);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      from.pipe(to);
      from.on('error', () => undefined);
      from.once('close', () => {
        pairs.delete(pair);
        to.resetAndDestroy();
      });
    }
  };

  const server: Server = createServer((near) => {
    accepted += 1;
    if (mode === 'pass') return pass(near);
    strays.add(near);
    near.on('error', () => undefined);
    near.once('close', () => strays.delete(near));
    if (mode === 'close') near.destroy();
    else near.end(`HTTP/1.1 400 Bad Request\r\n\r\nnonsense ${accepted}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const cut = (): void => {
    for (const { near, far } of [...pairs]) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  };

  return {
    port,
    get accepted() {
      return accepted;
    },
    target(to) {
      targetPort = to;
    },
    mode(next) {
      if (next === 'refuse' && mode !== 'refuse') server.close();
      if (next !== 'refuse' && mode === 'refuse') server.listen(port, '127.0.0.1');
      mode = next;
    },
    cut,
    blackhole(matches = () => true) {
      for (const { near, far } of pairs) {
        if (!matches(far.localPort ?? 0)) continue;
        for (const [from, to] of [
          [near, far],
          [far, near],
        ] as const) {
          from.unpipe(to);
          from.pause();
        }
      }
    },
    async close() {
      cut();
      for (const socket of strays) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}
