/**
 * An HTTP proxy that only knows CONNECT and records who was asked for. It can refuse, hang, want a password, and cut
 * what goes through it.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface ConnectProxy {
  readonly port: number;
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** `host:port` of every CONNECT, in order. */
  readonly tunnels: string[];
  /** Requests that were not CONNECT. */
  readonly strays: string[];
  /** Connections from clients that are open now. */
  open(): number;
  behave(how: { refuse?: number; hang?: boolean }): void;
  close(): Promise<void>;
}

export interface ConnectProxyOptions {
  /** `user:password` that it wants. */
  readonly credentials?: string;
  /** `host:port` -> the loopback port that plays it; others are connected to as asked. */
  readonly routes?: ReadonlyMap<string, number>;
}

export async function startConnectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const tunnels: string[] = [];
  const strays: string[] = [];
  const clients = new Set<Duplex>();
  const upstreams = new Set<Socket>();
  let behaviour: { refuse?: number; hang?: boolean } = {};
  const wanted = options.credentials && `Basic ${Buffer.from(options.credentials).toString('base64')}`;

  const server = createServer((request, response) => {
    strays.push(request.url ?? '');
    response.writeHead(405).end();
  });
  server.on('connection', (socket) => {
    clients.add(socket);
    socket.once('close', () => clients.delete(socket));
    socket.on('error', () => undefined);
  });
  server.on('connect', (request, socket: Duplex, head: Buffer) => {
    tunnels.push(request.url ?? '');
    if (behaviour.hang) {
      // Read on, else the end of the connection is not noticed either; an http server leaves its half open.
      socket.resume().once('end', () => socket.destroy());
      return;
    }
    if (wanted && request.headers['proxy-authorization'] !== wanted) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    if (behaviour.refuse) {
      socket.end(`HTTP/1.1 ${behaviour.refuse} Refused\r\n\r\n`);
      return;
    }
    const played = options.routes?.get(request.url ?? '');
    const target = new URL(`http://${played === undefined ? request.url : `127.0.0.1:${played}`}`);
    const upstream = connect(Number(target.port || 80), target.hostname.replace(/^\[|\]$/g, ''), () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstreams.add(upstream);
    upstream.on('error', () => socket.destroy());
    upstream.once('close', () => {
      upstreams.delete(upstream);
      socket.destroy();
    });
    socket.once('close', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    tunnels,
    strays,
    open: () => clients.size,
    behave(how) {
      behaviour = how;
    },
    async close() {
      for (const socket of [...clients, ...upstreams]) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
