/**
 * What an error of the network means, told from its code alone: messages of Node and undici quote addresses and
 * headers. Used for the endpoint call and for the handshake.
 */
import { isDnsCode, isTlsCode } from '../../domain/network-codes.js';
import { type ConnectFailure, type FailureFacts, failure } from './failures.js';

/** The peer of the TCP connection did not take it: with a proxy on the way, that peer is the proxy. */
const NO_PEER_CODES = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT']);

export function networkFailure(error: unknown, facts: FailureFacts): ConnectFailure {
  const errorCode = codeOf(error);
  const known: FailureFacts = errorCode === undefined ? facts : { ...facts, errorCode };
  const tunnel = tunnelStatus(error);
  if (tunnel !== undefined) return failure('proxy', { ...facts, httpStatus: tunnel });
  if (errorCode === undefined) return failure('unreachable', known);
  const hasNoPeer = NO_PEER_CODES.has(errorCode) || isDnsCode(errorCode);
  if (facts.proxy !== undefined && hasNoPeer) return failure('proxy', known);
  if (isDnsCode(errorCode)) return failure('dns', known);
  return failure(isTlsCode(errorCode) ? 'tls' : 'unreachable', known);
}

/** The `code` of an error, or of the one it wraps. */
function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return typeof code === 'string' ? code.slice(0, 64) : codeOf(cause);
}

/** undici says in words which status a proxy answered to CONNECT with. */
function tunnelStatus(error: unknown): number | undefined {
  const match = error instanceof Error ? /^Proxy response \((\d{3})\)/.exec(error.message) : null;
  return match === null ? undefined : Number(match[1]);
}
