/**
 * Query strings are text; the schemas say what the text stands for. Numbers and booleans are read strictly, so that
 * the validation that follows sees the real type or refuses what is left as text: `5x`, `1e3`, `TRUE`, ``.
 */
import type { FastifyRequest } from 'fastify';

const INTEGER = /^(?:0|[1-9]\d{0,8})$/;
const BOOLEANS = new Map([
  ['true', true],
  ['false', false],
]);

/** Turns the text of integer and boolean parameters of this route into values, in place. */
export function readQueryText(request: FastifyRequest): void {
  const schema = request.routeOptions.schema?.querystring as QuerySchema | undefined;
  const query = request.query as Record<string, unknown>;
  for (const [parameter, { type }] of Object.entries(schema?.properties ?? {})) {
    const text = query[parameter];
    if (typeof text !== 'string') continue;
    if (type === 'integer' && INTEGER.test(text)) query[parameter] = Number(text);
    if (type === 'boolean') query[parameter] = BOOLEANS.get(text) ?? text;
  }
}

interface QuerySchema {
  readonly properties?: Readonly<Record<string, { readonly type?: unknown }>>;
}

/** A list in a query: separated by spaces or commas. */
export const readList = (text: string): string[] => text.split(/[\s,]+/).filter((item) => item !== '');
