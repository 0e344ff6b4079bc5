/**
 * One HTTP request with its body read, and the shapes an answer can take. Parsing only; no routing, no rules.
 */
import type { IncomingHttpHeaders } from 'node:http';

export interface Exchange {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** Values of the `:name` parts of the route. */
  params: Record<string, string>;
  body: Buffer;
}

export interface Reply {
  status: number;
  /** A string goes out as it is, anything else as JSON; undefined = an empty body. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** The body as a JSON object; undefined when it is anything else. */
export function jsonBody(exchange: Exchange): Record<string, unknown> | undefined {
  try {
    return asObject(JSON.parse(exchange.body.toString('utf8')));
  } catch {
    return undefined;
  }
}

/** The members of a JSON or form body; undefined when it is neither. */
export function fields(exchange: Exchange): Record<string, unknown> | undefined {
  const type = exchange.headers['content-type'] ?? '';
  if (type.includes('application/json')) return jsonBody(exchange);
  if (!type.includes('application/x-www-form-urlencoded')) return undefined;
  return Object.fromEntries(new URLSearchParams(exchange.body.toString('utf8')));
}

export function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/** A member that is a non-empty string. */
export function text(source: Record<string, unknown> | undefined, name: string): string | undefined {
  const value = source?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function bearer(exchange: Exchange): string | undefined {
  return /^Bearer\s+(\S+)$/i.exec(exchange.headers.authorization ?? '')?.[1];
}

/** Client id and secret of an `Authorization: Basic` header. */
export function basic(exchange: Exchange): { id: string; secret: string } | undefined {
  const encoded = /^Basic\s+(\S+)$/i.exec(exchange.headers.authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [id, secret] = Buffer.from(encoded, 'base64').toString('utf8').split(/:(.*)/s);
  return { id: id ?? '', secret: secret ?? '' };
}

export const ok = (body: unknown): Reply => ({ status: 200, body });
