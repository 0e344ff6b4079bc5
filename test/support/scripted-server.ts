/**
 * A plain HTTP server on a free loopback port that answers as the test says and remembers what it was asked. For what
 * the wire does to us; Feishu's behaviour is the simulator's.
 */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** JSON with a status and headers, or whatever the function does to the response. */
export type Scripted =
  | {
      readonly status?: number;
      readonly headers?: Record<string, string>;
      readonly json?: unknown;
      readonly text?: string;
    }
  | ((response: ServerResponse) => void);

export interface ScriptedServer {
  readonly url: string;
  readonly asked: Asked[];
  /** The body of the last request, parsed. */
  lastJson(): Record<string, unknown>;
  stop(): Promise<void>;
}

export async function startScriptedServer(answer: (asked: Asked) => Scripted): Promise<ScriptedServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      asked.push(one);
      give(response, answer(one));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    lastJson: () => JSON.parse(asked.at(-1)?.body ?? 'null') as Record<string, unknown>,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function give(response: ServerResponse, scripted: Scripted): void {
  if (typeof scripted === 'function') {
    scripted(response);
    return;
  }
  const type = scripted.text === undefined ? 'application/json; charset=utf-8' : 'text/html';
  response.writeHead(scripted.status ?? 200, { 'content-type': type, ...scripted.headers });
  response.end(scripted.text ?? JSON.stringify(scripted.json ?? {}));
}

/** Takes the request and never answers. */
export const hang = (): void => undefined;
/** Takes the request and cuts the connection. */
export const hangUp = (response: ServerResponse): void => {
  response.destroy();
};

/** The same answer, after a while. */
export const late =
  (scripted: Scripted, ms: number): Scripted =>
  (response) => {
    setTimeout(() => give(response, scripted), ms);
  };
