/**
 * `POST /callback/cards/{app_id}`: clicks and events of the apps that get them by HTTP (CARD_CALLBACK=http). Owns what
 * is HTTP about it: the raw body and its limit, headers, status codes, the time there is. Whether a request is Feishu's
 * and what comes of it is the port's business. Whoever is refused learns nothing but the status; nobody is redirected,
 * which Feishu forbids (FEISHU.md §3.3).
 */
import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  type CallbackAnswer,
  type CallbackRefusal,
  cardCallbackPath,
  type RawCallback,
} from '../../domain/http-callback.js';
import { startDeadline } from '../deadline.js';

export interface CardCallbackDeps {
  /** Whether callbacks of this app come here. */
  readonly has: (appId: string) => boolean;
  /** Never rejects. */
  readonly answer: (appId: string, call: RawCallback, link: { isOpen(): boolean }) => Promise<CallbackAnswer>;
  /** Told of a request that is refused before its body has been read. */
  readonly refused: (appId: string, reason: CallbackRefusal) => void;
}

const BODY_BYTES = 262_144;
/** Feishu gives up after 3 s, and sends an event again. Clicks have an earlier limit of their own (click.ts). */
const ANSWER_MS = 2_500;

interface ForApp {
  readonly Params: { readonly app_id: string };
}

export async function addCardCallbackRoute(app: FastifyInstance, deps: CardCallbackDeps): Promise<void> {
  await app.register((scope, _options, done) => {
    // The signature is over the bytes: nobody may parse or re-encode them before.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, bytes, parsed) =>
      parsed(null, bytes),
    );
    scope.setErrorHandler<Error & { readonly statusCode?: number }>((error, request, reply) => {
      const status = error.statusCode ?? 500;
      if (status === 413) deps.refused((request as FastifyRequest<ForApp>).params.app_id, 'too_large');
      return reply.code(status).send();
    });
    scope.post<ForApp & { Body: unknown }>(
      cardCallbackPath(':app_id'),
      {
        bodyLimit: BODY_BYTES,
        // All clicks of all users come from a few addresses of Feishu's.
        config: { rateLimit: false },
        // Before the body is read.
        onRequest: async (request, reply) =>
          deps.has(request.params.app_id) ? undefined : await reply.code(404).send(),
      },
      async (request, reply) => {
        const call = readCall(request);
        const link = { isOpen: () => isOpen(reply.raw) };
        const work = deps.answer(request.params.app_id, call, link);
        const { body, status } = await startDeadline(ANSWER_MS).race(work);
        return send(reply, status, body);
      },
    );
    done();
  });
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

/** Also after the answer has left: a response that was sent whole and then closed has reached Feishu. */
const isOpen = (response: ServerResponse): boolean => response.writableFinished || !response.destroyed;
