/**
 * Answers for bytes that are no HTTP request (Node's `clientError`): too large headers, a request that never ends,
 * garbage. There is no request and no reply yet, only the socket.
 */
import type { Socket } from 'node:net';
import { httpProblem, type Problem } from './problem.js';

/** The headers (no CR or LF in them) and the body such a problem is told with. */
export type SocketAnswer = (problem: Problem) => {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** Time for the answer to get out; what the client still sends is not waited for. */
const FLUSH_MS = 1_000;

/** Fastify's `clientErrorHandler`. */
export function clientErrorHandler(
  tell: SocketAnswer,
): (error: Error & { readonly code?: string }, socket: Socket) => void {
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) {
      socket.destroy();
      return;
    }
    // The rest of a refused request raises the same error again: one answer is enough.
    if (!socket.writable) return;
    const problem = problemFor(error.code);
    const { body, headers } = tell(problem);
    const head = [
      `HTTP/1.1 ${problem.status} ${problem.body.title}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
    socket.setTimeout(FLUSH_MS, () => socket.destroy());
  };
}

function problemFor(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW') return httpProblem(431, 'The headers are too large');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return httpProblem(408, 'The request did not arrive in time');
  return httpProblem(400, 'This is not a valid HTTP request');
}
