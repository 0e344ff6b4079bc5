/**
 * One HTTP request on the wire with undici. Tells "never written" from "written, no answer", because only the first
 * leaves no doubt whether Feishu has acted. What undici throws is not passed on: of it only the error code and the peer
 * address are told.
 */
import { Readable } from 'node:stream';
import { type Dispatcher, request as undiciRequest } from 'undici';
import { FeishuError } from '../../domain/feishu-error.js';
import type { FeishuRequest } from '../../domain/feishu-exchange.js';

export interface RawReply {
  readonly status: number;
  /** By lower-case name, the first value where there are several. */
  readonly header: (name: string) => string | null;
  readonly text: string;
}

/** Feishu's answers are a few KB; anything near this is not from Feishu. */
const LARGEST_REPLY_BYTES = 1024 * 1024;

/** @throws FeishuError `transient` or `uncertain` */
export async function sendOnce(dispatcher: Dispatcher, request: FeishuRequest): Promise<RawReply> {
  const outgoing = outgoingBody(request.body);
  const { clear, signal } = startDeadline(request.timeoutMs);
  const exchange = async (): Promise<RawReply> => {
    const response = await undiciRequest(request.url, {
      dispatcher,
      method: request.method,
      headers: { accept: 'application/json', ...request.headers, ...outgoing.headers },
      body: outgoing.stream,
      signal,
    });
    return {
      status: response.statusCode,
      header: (name) => firstValue(response.headers[name]),
      text: await boundedText(response.body),
    };
  };
  try {
    return await Promise.race([exchange(), rejectOn(signal)]);
  } catch (error) {
    throw noReply(error, request, outgoing.stream !== null && !outgoing.written());
  } finally {
    clear();
  }
}

/**
 * When a process that was frozen, or kept busy, past the deadline goes on, the answer may lie in its socket: timers fire
 * before sockets are read, so the deadline lets them be read once more. What a refresh brought is lost otherwise.
 */
function startDeadline(milliseconds: number): { readonly signal: AbortSignal; readonly clear: () => void } {
  const controller = new AbortController();
  let look: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    look = setImmediate(() => controller.abort(new DeadlineOver()));
  }, milliseconds);
  return {
    signal: controller.signal,
    clear() {
      clearTimeout(timer);
      clearImmediate(look);
    },
  };
}

class DeadlineOver extends Error {}

/** undici does not end a request on its signal while a proxy leaves its CONNECT unanswered. */
function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function noReply(error: unknown, request: FeishuRequest, unsent: boolean): FeishuError {
  const kind = unsent || request.repeatable ? 'transient' : 'uncertain';
  const what = unsent ? 'not sent' : 'no answer';
  return new FeishuError(kind, `${what} (${describe(error, request.timeoutMs)})`, {
    api: request.api,
    meaning: 'retry',
  });
}

/** undici pulls a stream only once it has a connection to write to: that moment is what `written` reports. */
function outgoingBody(body: string | null) {
  if (body === null) return { stream: null, headers: {}, written: (): boolean => true };
  const bytes = Buffer.from(body, 'utf8');
  let pulled = false;
  const stream = new Readable({
    read() {
      pulled = true;
      this.push(bytes);
      this.push(null);
    },
  });
  return { stream, headers: { 'content-length': String(bytes.length) }, written: (): boolean => pulled };
}

async function boundedText(body: AsyncIterable<Buffer> & { destroy(): unknown }): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > LARGEST_REPLY_BYTES) {
      body.destroy();
      throw new OversizedReply();
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

class OversizedReply extends Error {
  readonly code = `reply over ${LARGEST_REPLY_BYTES} bytes`;
}

const firstValue = (value: string | string[] | undefined): string | null =>
  (Array.isArray(value) ? value[0] : value) ?? null;

/** Names the failure without the library's text: `ECONNREFUSED 127.0.0.1:443`, `no reply within 10000 ms`. */
function describe(error: unknown, timeoutMs: number): string {
  if (error instanceof DeadlineOver) return `no reply within ${timeoutMs} ms`;
  const known = error as {
    readonly code?: unknown;
    readonly address?: unknown;
    port?: unknown;
  };
  const code = typeof known.code === 'string' ? known.code : 'network error';
  return typeof known.address === 'string' ? `${code} ${known.address}:${String(known.port)}` : code;
}
