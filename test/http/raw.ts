/** HTTP as bytes over a socket, for requests that no HTTP client would send. */
import { once } from 'node:events';
import { connect } from 'node:net';

/** Sends the bytes and gives everything that comes back until the server closes the connection. */
export async function sendRaw(port: number, request: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await once(socket, 'connect');
  socket.write(request);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('utf8');
}

/** A GET with these header lines, as they are; the server closes after it. */
export const rawGet = (path: string, headerLines: readonly string[]): Buffer =>
  Buffer.from([`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: close', ...headerLines, '', ''].join('\r\n'), 'latin1');

export const statusOf = (response: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(response)?.[1]);

export const bodyOf = (response: string): Record<string, unknown> =>
  JSON.parse(response.slice(response.indexOf('\r\n\r\n') + 4)) as Record<string, unknown>;
