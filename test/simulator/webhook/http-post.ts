/**
 * Sends one request as Feishu's callback sender does: a new connection, 2 s to connect, 3 s in all, no redirects. Says
 * how it ended; what that means for a click or an event is its caller's business. Source: FEISHU.md §0, §3.3.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { RawAck } from '../gateway/ack.js';
import type { Settings } from '../options.js';
import type { Timers } from '../timers.js';
import type { WebhookRequest } from './webhook-request.js';

/** `ack.code` is the HTTP status, `ack.body` the JSON of the answer; an empty body counts as none. */
export type WebhookOutcome = { tookMs: number; request: WebhookRequest } & (
  | { kind: 'answered'; ack: RawAck }
  | { kind: 'no_answer' }
  | { kind: 'unreachable'; failure: 'tcp' | 'dns' }
);

type Ending =
  | { kind: 'answered'; ack: RawAck }
  | { kind: 'no_answer' }
  | { kind: 'unreachable'; failure: 'tcp' | 'dns' };

const BODY_LIMIT = 1024 * 1024;
const DNS_ERRORS = ['ENOTFOUND', 'EAI_AGAIN', 'ENODATA'];

export class HttpPost {
  readonly #deps: { settings: Settings; timers: Timers };
  readonly #live = new Set<() => void>();

  constructor(deps: { settings: Settings; timers: Timers }) {
    this.#deps = deps;
  }

  /** Never rejects. */
  send(request: WebhookRequest): Promise<WebhookOutcome> {
    const { settings, timers } = this.#deps;
    const startedAt = performance.now();
    return new Promise((resolve) => {
      const outgoing = httpRequest(request.url, {
        method: 'POST',
        agent: false,
        headers: { ...request.headers, 'content-length': String(Buffer.byteLength(request.body)) },
      });
      const stops: (() => void)[] = [];
      const end = (ending: Ending): void => {
        for (const stop of stops) stop();
        this.#live.delete(cut);
        outgoing.destroy();
        resolve({ ...ending, request, tookMs: performance.now() - startedAt });
      };
      const cut = (): void => end({ kind: 'no_answer' });
      this.#live.add(cut);
      stops.push(timers.after(settings.limits.ackTimeoutMs, cut));
      outgoing.once('socket', (socket) => {
        stops.push(watchConnect(socket, outgoing.host, settings.limits.connectTimeoutMs, timers, end));
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => end(endingOf(error)));
      outgoing.once('response', (response) => {
        readAnswer(response).then(
          (ack) => end({ kind: 'answered', ack }),
          () => end({ kind: 'unreachable', failure: 'tcp' }),
        );
      });
      outgoing.end(request.body);
    });
  }

  /** Ends every wait as not answered. */
  close(): void {
    for (const cut of [...this.#live]) cut();
  }
}

/** A name that is still not resolved when the time is over is a DNS failure. Returns the function that stops it. */
function watchConnect(
  socket: Socket,
  host: string,
  limitMs: number,
  timers: Timers,
  end: (ending: Ending) => void,
): () => void {
  let resolved = isIP(host.replaceAll(/[[\]]/g, '')) !== 0;
  socket.once('lookup', () => {
    resolved = true;
  });
  const stop = timers.after(limitMs, () => end({ kind: 'unreachable', failure: resolved ? 'tcp' : 'dns' }));
  socket.once('connect', stop);
  return stop;
}

function endingOf(error: NodeJS.ErrnoException): Ending {
  const code = error.code ?? '';
  // Something answers there, but not HTTP.
  if (code.startsWith('HPE_')) return { kind: 'answered', ack: { code: undefined, body: undefined, broken: code } };
  return { kind: 'unreachable', failure: DNS_ERRORS.includes(code) ? 'dns' : 'tcp' };
}

async function readAnswer(response: IncomingMessage): Promise<RawAck> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) return { code: response.statusCode, body: undefined, broken: 'the answer is too large' };
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length === 0) return { code: response.statusCode, body: undefined };
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { code: response.statusCode, body: JSON.parse(text) };
  } catch {
    return { code: response.statusCode, body: undefined, broken: 'the answer is not UTF-8 JSON' };
  }
}
