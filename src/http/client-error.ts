/**
 * Answers for bytes that are no HTTP request (Node's `clientError`): too large headers, a request that never ends,
 * garbage. There is no request and no reply yet, only the socket.
 */
import type { Socket } from 'node:net';
import { httpProblem, PROBLEM_TYPE, type Problem } from './problem.js';

/** Time for the answer to get out; what the client still sends is not waited for. */
const FLUSH_MS = 1_000;

/** Fastify's `clientErrorHandler`. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) {
    socket.destroy();
    return;
  }
  // The rest of a refused request raises the same error again: one answer is enough.
  if (!socket.writable) return;
  const { status, body } = problemFor(error.code);
  const json = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${body.title}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(json)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${json}`);
  socket.setTimeout(FLUSH_MS, () => socket.destroy());
}

function problemFor(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW') return httpProblem(431, 'The headers are too large');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return httpProblem(408, 'The request did not arrive in time');
  return httpProblem(400, 'This is not a valid HTTP request');
}
