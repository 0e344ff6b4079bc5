/**
 * The answers of the callback server: documents with the headers that keep them harmless. Strict on purpose: these
 * pages are loaded with a code in their address.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ProblemTeller } from '../../bare-instance.js';
import { preferredLanguage } from '../language.js';
import type { Awaited } from '../outcomes.js';
import type { PageWords } from '../ports.js';
import type { Content } from './content.js';
import { renderDocument, styleHash } from './document.js';
import { outcomeContent } from './outcome-content.js';
import { problemContent } from './problem-content.js';

export interface Pages extends ProblemTeller {
  /** On every answer of the server. */
  readonly headers: Readonly<Record<string, string>>;
  readonly outcome: (request: FastifyRequest, reply: FastifyReply, outcome: Awaited) => FastifyReply;
}

/** By this the doctor knows that an address reaches this server. */
const MARK = { 'x-feishu-authd': 'callback' };
const HTML = { 'content-type': 'text/html; charset=utf-8' };
const UNAVAILABLE_RETRY_SECONDS = 10;

export function createPages(words: PageWords): Pages {
  const headers = { ...MARK, ...securityHeaders() };

  const send = (request: FastifyRequest, reply: FastifyReply, content: Content): FastifyReply => {
    const language = preferredLanguage(request.headers['accept-language']);
    return reply
      .headers(headers)
      .headers({ ...HTML, vary: 'accept-language' })
      .send(renderDocument(content, language));
  };

  return {
    headers,
    outcome(request, reply, outcome) {
      reply.code(statusOf(outcome));
      if (outcome.kind === 'unavailable') reply.header('retry-after', UNAVAILABLE_RETRY_SECONDS);
      return send(request, reply, outcomeContent(outcome, words));
    },
    answer(request, reply, problem) {
      reply.code(problem.status).headers(problem.headers);
      return send(request, reply, problemContent(problem.status, problem.headers));
    },
    toSocket: ({ status }) => ({
      headers: { ...headers, ...HTML },
      body: renderDocument(problemContent(status), 'zh_cn'),
    }),
  };
}

/**
 * A page about a known session is an answer (200), whatever it says: clients' web views may put a page of their own in
 * place of an error. What is about nobody is an error of the request, and Redis being away one of ours.
 */
function statusOf({ kind }: Awaited): number {
  if (kind === 'invalid' || kind === 'incomplete') return 400;
  return kind === 'unavailable' ? 503 : 200;
}

const securityHeaders = (): Readonly<Record<string, string>> => ({
  'content-security-policy': [
    "default-src 'none'",
    `style-src '${styleHash()}'`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'x-robots-tag': 'noindex',
});
