/**
 * `POST /callback/cards/{app_id}`: clicks and events of the apps that get them by HTTP (CARD_CALLBACK=http). Owns what
 * is HTTP about it: the raw body and its limit, headers, status codes. Whether a request is Feishu's and what comes of
 * it is the port's business. No limit by address: all clicks of all users come from a few addresses of Feishu's. Whoever
 * is refused learns nothing but the status; nobody is redirected, which Feishu forbids (FEISHU.md §3.3).
 */
import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  type CallbackAnswer,
  type CallbackRefusal,
  cardCallbackPath,
  type RawCallback,
} from '../../domain/http-callback.js';

export interface CardCallbackDeps {
  /** Whether callbacks of this app come here. */
  readonly has: (appId: string) => boolean;
  /** Never rejects, and is there in time. */
  readonly answer: (appId: string, call: RawCallback, link: { isOpen(): boolean }) => Promise<CallbackAnswer>;
  /** Told of a request that is refused before its body has been read. */
  readonly refused: (appId: string, reason: CallbackRefusal) => void;
}

const BODY_BYTES = 262_144;

interface ForApp {
  readonly Params: { readonly app_id: string };
}

/** @param app an instance of its own: its body parser and error handler are replaced */
export function addCardCallbackRoute(app: FastifyInstance, deps: CardCallbackDeps): void {
  // The signature is over the bytes: nobody may parse or re-encode them before.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, bytes, done) => done(null, bytes));
  app.setErrorHandler<Error & { readonly statusCode?: number }>((error, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status === 413) deps.refused((request as FastifyRequest<ForApp>).params.app_id, 'too_large');
    return reply.code(status).send();
  });
  app.post<ForApp & { Body: unknown }>(
    cardCallbackPath(':app_id'),
    {
      bodyLimit: BODY_BYTES,
      // Before the body is read.
      onRequest: async (request, reply) => (deps.has(request.params.app_id) ? undefined : await reply.code(404).send()),
    },
    async (request, reply) => {
      const { body, status } = await deps.answer(request.params.app_id, readCall(request), linkOf(reply.raw));
      return send(reply, status, body);
    },
  );
}

function readCall(request: FastifyRequest): RawCallback {
  const header = (name: string): string | null => {
    const value = request.headers[name];
    return typeof value === 'string' ? value : null;
  };
  return {
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
    timestamp: header('x-lark-request-timestamp'),
    nonce: header('x-lark-request-nonce'),
    signature: header('x-lark-signature'),
  };
}

const send = (reply: FastifyReply, status: number, body: object | null): FastifyReply =>
  body === null
    ? reply.code(status).send()
    : reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body));

/** Open until the connection goes before the answer does: one that was sent whole has reached Feishu. */
function linkOf(response: ServerResponse): { isOpen(): boolean } {
  let lost = false;
  response.once('close', () => {
    lost = !response.writableFinished;
  });
  return { isOpen: () => !lost };
}
