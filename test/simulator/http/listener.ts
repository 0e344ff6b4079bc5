/**
 * The one HTTP listener that plays the open platform, the accounts site and the applink host. Reads bodies, finds the
 * route, writes answers, and can leave callers hanging or reset them. Knows nothing of what the routes mean.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Exchange, Reply } from './exchange.js';

/** What a route can do instead of answering. */
export type Outcome = Reply | 'hang' | 'reset';

/** The raw pair, for routes that write themselves (SSE, files). */
export interface Wire {
  request: IncomingMessage;
  response: ServerResponse;
}

export interface Route {
  method: string;
  /** Literal segments and `:name` ones; a last `*` takes the rest. */
  path: string;
  /** 'handled': the route has written the answer itself. */
  serve(exchange: Exchange, wire: Wire): Promise<Outcome | 'handled'> | Outcome | 'handled';
}

const BODY_LIMIT = 4 * 1024 * 1024;

export class Listener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #routes: { route: Route; segments: string[] }[] = [];

  constructor(deps: {
    onError: (error: unknown, path: string) => void;
    onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  }) {
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        deps.onError(error, (request.url ?? '').split('?')[0] ?? '');
        if (!response.headersSent) write(response, { status: 500, body: { code: -1, msg: 'simulator error' } });
        else response.destroy();
      });
    });
    this.#server.on('upgrade', (request, socket, head) => deps.onUpgrade(request, socket, head));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  addRoute(route: Route): void {
    this.#routes.push({ route, segments: route.path.split('/').slice(1) });
  }

  /** Resolves with the port once it listens. */
  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** Cuts every connection, also those of hanging requests, and frees the port. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://simulator');
    // The SDK posts to `//callback/…` when its domain ends in a slash; Feishu's gateway does not know that path either.
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const found = this.#find(request.method ?? 'GET', path);
    const body = await readBody(request);
    if (body === undefined) {
      write(response, { status: 413, body: 'too large' });
      return;
    }
    if (!found) {
      write(response, { status: 404, body: '404 page not found', headers: { 'content-type': 'text/plain' } });
      return;
    }
    const exchange: Exchange = {
      method: request.method ?? 'GET',
      path,
      query: url.searchParams,
      headers: request.headers,
      params: found.params,
      body,
    };
    const outcome = await found.route.serve(exchange, { request, response });
    if (outcome === 'hang' || outcome === 'handled') return;
    if (outcome === 'reset') reset(request.socket);
    else write(response, outcome);
  }

  #find(method: string, path: string): { route: Route; params: Record<string, string> } | undefined {
    const parts = path.split('/').slice(1);
    for (const { route, segments } of this.#routes) {
      if (route.method !== method) continue;
      const params = match(segments, parts);
      if (params) return { route, params };
    }
    return undefined;
  }
}

/** Ends a TCP connection with RST, as a broken middlebox does. */
export function reset(socket: Duplex): void {
  if ('resetAndDestroy' in socket && typeof socket.resetAndDestroy === 'function') socket.resetAndDestroy();
  else socket.destroy();
}

function match(segments: string[], parts: string[]): Record<string, string> | undefined {
  const rest = segments.at(-1) === '*';
  if (!rest && segments.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const part = parts[index];
    if (segment === '*' && index === segments.length - 1) {
      params['*'] = parts.slice(index).join('/');
      return params;
    }
    if (part === undefined) return undefined;
    if (segment.startsWith(':')) params[segment.slice(1)] = safeDecode(part);
    else if (segment !== part) return undefined;
  }
  return params;
}

function safeDecode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The whole body; undefined when it is too large or the caller went away in the middle of it. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > BODY_LIMIT) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}

function write(response: ServerResponse, reply: Reply): void {
  if (response.destroyed || response.writableEnded) return;
  const { type, body } = encode(reply.body);
  response.writeHead(reply.status, {
    ...(type === undefined ? {} : { 'content-type': type }),
    'content-length': String(Buffer.byteLength(body)),
    ...reply.headers,
  });
  response.end(body);
}

function encode(body: unknown): { type?: string; body: string } {
  if (body === undefined) return { body: '' };
  if (typeof body === 'string') return { type: 'text/html; charset=utf-8', body };
  return { type: 'application/json; charset=utf-8', body: JSON.stringify(body) };
}
