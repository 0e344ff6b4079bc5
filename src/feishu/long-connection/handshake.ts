/**
 * Why a WebSocket handshake failed (FEISHU.md §2.2). Pure. The gateway says it in Handshake-* headers, which no Node SDK
 * reads; an answer without them came from somebody on the way.
 */
import { scrubLogId } from './endpoint.js';
import { type ConnectFailure, type FailureFacts, failure, failureOfCode } from './failures.js';
import { networkFailure } from './network-failure.js';
import type { HandshakeFailure } from './sdk-patch.js';

/** What proxies answer to CONNECT when they do not let a connection through. */
const PROXY_STATUSES = new Set([403, 407, 502, 503, 504]);

export function judgeHandshake(why: HandshakeFailure, facts: FailureFacts): ConnectFailure {
  if (why.kind === 'timeout') return failure('handshake_timeout', facts);
  if (why.kind === 'error') return networkFailure(why.error, facts);

  const logId = why.headers['x-tt-logid'];
  const known: FailureFacts = {
    ...facts,
    httpStatus: why.status,
    ...(typeof logId === 'string' ? { logId: scrubLogId(logId) } : {}),
  };
  const status = numberIn(why.headers['handshake-status']);
  const authCode = numberIn(why.headers['handshake-autherrcode']);
  if (authCode !== undefined && authCode !== 0) return failureOfCode(authCode, known);
  if (status === 403) return failureOfCode(status, known);
  // 514 without a code is the gateway's own trouble: the Go SDK retries it, unlike 514 from the endpoint.
  if (status !== undefined) return failure('handshake_refused', { ...known, feishuCode: status });
  const byProxy = facts.proxy !== undefined && PROXY_STATUSES.has(why.status);
  return failure(byProxy ? 'proxy' : 'handshake_refused', known);
}

function numberIn(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^-?\d{1,12}$/.test(header) ? Number(header) : undefined;
}
