/**
 * HTTP/1.1 as far as a load generator needs it: requests as bytes made once, answers found in what a socket brings. One
 * request at a time on a connection, answers with a `content-length`. Pure.
 */

export interface WireAnswer {
  readonly status: number;
  readonly body: Buffer;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** `GET path` for a client with this secret. */
export const getRequest = (path: string, secret: string): Buffer =>
  Buffer.from(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${secret}\r\n\r\n`, 'latin1');

/**
 * The answer, once all of it is there; null before.
 * @throws Error when the length is not told, or something follows the answer
 */
export function readAnswer(received: Buffer): WireAnswer | null {
  const headEnd = received.indexOf(HEAD_END);
  if (headEnd === -1) return null;
  const head = received.toString('latin1', 0, headEnd);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`an answer without a length: ${head.split('\r\n')[0]}`);
  const bodyAt = headEnd + HEAD_END.length;
  const end = bodyAt + Number(length);
  if (received.length < end) return null;
  if (received.length > end) throw new Error('more came than was asked for');
  return { status: Number(head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)), body: received.subarray(bodyAt) };
}
