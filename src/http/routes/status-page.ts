/**
 * `/`: the status page. A shell without any data, so that it needs no key; it asks for one and calls `/v1/status` with
 * it. It may load nothing from elsewhere, and nobody may frame it.
 */
import type { FastifyInstance } from 'fastify';
import type { PageFile } from '../page-files.js';
import type { HttpDeps } from '../ports.js';
import { noQuery } from '../schemas.js';

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

export function addStatusPage(app: FastifyInstance, { statusPage }: Pick<HttpDeps, 'statusPage'>): void {
  const serve = (url: string, { body, contentType }: PageFile): void => {
    app.get(url, { schema: { hide: true, querystring: noQuery } }, async (_request, reply) =>
      reply.headers(HEADERS).header('content-type', contentType).send(body),
    );
  };
  for (const [name, file] of statusPage) serve(name === 'index.html' ? '/' : `/status-page/${name}`, file);
}
