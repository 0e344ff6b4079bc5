/**
 * Bodies: how they are read, and a digest that tells two of them apart (Idempotency-Key). Only JSON is taken. No body
 * at all is as good as `{}`, which Fastify by itself refuses on POST and DELETE.
 */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { invalidField } from './validation-errors.js';

export function addBodyParser(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    if (bytes.length === 0) return done(null, {});
    const text = decodeUtf8(bytes);
    // An unpaired byte would silently become U+FFFD, in the stored text as in the digest.
    if (text === null) return done(Object.assign(new Error('not UTF-8'), NOT_JSON), undefined);
    return parseJson(request, text, done);
  });
  app.addHook('preValidation', async (request) => {
    if (request.body === undefined && BODY_METHODS.has(request.method)) request.body = {};
    if (request.routeOptions.schema?.body === undefined) refuseBody(request);
  });
}

const NOT_JSON = { code: 'FST_ERR_CTP_INVALID_JSON_BODY', statusCode: 400 };
const BODY_METHODS = new Set(['POST', 'DELETE']);

/** Calls that take no fields: `{}` is fine, anything else is a mistake the caller wants to know of. */
function refuseBody(request: FastifyRequest): void {
  const { body } = request;
  if (body === undefined) return;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalidField('body', '(all)', 'must be object');
  }
  const [field] = Object.keys(body);
  if (field !== undefined) throw invalidField('body', field.slice(0, 100), 'is not known');
}

function decodeUtf8(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** SHA-256, hex, of a JSON value; the order of an object's keys does not count. */
export const bodyDigest = (body: unknown): string => createHash('sha256').update(canonicalJson(body)).digest('hex');

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}
