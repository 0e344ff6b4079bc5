/**
 * A bare HTTP server that plays the app's callback address, and the official SDK behind one. For conformance tests.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { adaptDefault, EventDispatcher, LoggerLevel } from '@larksuiteoapi/node-sdk';
import { type Handlers, silent } from './sdk-client.js';

export interface Posted {
  headers: IncomingHttpHeaders;
  body: string;
}

export interface WebhookServer {
  url: string;
  /** Everything that came, in order. Empty behind the SDK, which reads the bodies itself. */
  posted: Posted[];
  close(): Promise<void>;
}

export const WEBHOOK_PATH = '/webhook';

/** Answers each request as `answer` says, after its body was read. */
export function webhookServer(answer: (posted: Posted, response: ServerResponse) => void): Promise<WebhookServer> {
  const posted: Posted[] = [];
  return listen(posted, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = { headers: request.headers, body: Buffer.concat(chunks).toString('utf8') };
      posted.push(one);
      answer(one, response);
    });
  });
}

/** The SDK's own adapter with its own checks, as its documentation sets it up. */
export function sdkWebhook(
  keys: { encryptKey?: string; verificationToken?: string },
  handlers: Handlers,
): Promise<WebhookServer> {
  const dispatcher = new EventDispatcher({ ...keys, logger: silent, loggerLevel: LoggerLevel.error }).register(
    handlers,
  );
  const adapter = adaptDefault(WEBHOOK_PATH, dispatcher, { autoChallenge: true });
  return listen([], (request, response) => {
    // It throws for bodies it cannot decrypt; a server made of it answers 500 then.
    adapter(request, response).catch(() => response.writeHead(500).end());
  });
}

async function listen(
  posted: Posted[],
  serve: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<WebhookServer> {
  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${WEBHOOK_PATH}`,
    posted,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
