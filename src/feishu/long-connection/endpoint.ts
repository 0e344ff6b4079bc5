/**
 * The call that asks Feishu where to connect (FEISHU.md §2.1): `pullEndpoint` sends, `judgeEndpointAnswer` judges.
 *
 * The SDK prepares URL, headers and body; this file does the call in its place, because the SDK's own has no way past
 * a proxy by our rules, reads `data` before `code` and so turns every refusal without data into a TypeError that is
 * retried for ever (FAILURES A-endpoint-null-data-hides-code). The URL in the answer is a credential: never logged.
 */
import { type Dispatcher, errors, request } from 'undici';
import type { ProxyConfig } from '../../config/config.js';
import { createDispatcher, proxyFor, proxyLabel } from '../proxy.js';
import { type ConnectFailure, type FailureFacts, failure, failureOfCode } from './failures.js';
import { networkFailure } from './network-failure.js';
import { scrubText } from './scrub.js';
import { sleep } from './waits.js';

/** An answer is some 400 bytes; a portal's page is not worth reading. */
const LARGEST_ANSWER_BYTES = 256 * 1024;

export interface EndpointRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `{AppID, AppSecret}`: secret. */
  readonly body: unknown;
}

export interface EndpointDeps {
  readonly proxy: ProxyConfig;
  /** For the whole call. */
  readonly timeoutMs: number;
  /** Aborting ends the call at once. */
  readonly signal: AbortSignal;
}

export type EndpointResult =
  | { readonly ok: true; readonly url: string; readonly clientConfig: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly failure: ConnectFailure };

/** Asks once. Never throws for what network or Feishu do; an abort by `signal` comes back as a failure as well. */
export async function pullEndpoint(call: EndpointRequest, deps: EndpointDeps): Promise<EndpointResult> {
  const route = proxyFor(call.url, deps.proxy);
  const facts = { host: new URL(call.url).host, ...(route === null ? {} : { proxy: proxyLabel(route) }) };
  // One call, one dispatcher: calls are rare, and a kept-alive socket may be long dead after a suspend.
  const dispatcher = createDispatcher(call.url, deps.proxy, { maxResponseSize: LARGEST_ANSWER_BYTES });
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), deps.timeoutMs);
  const cut = (): void => late.abort();
  deps.signal.addEventListener('abort', cut, { once: true });
  if (deps.signal.aborted) cut();
  // undici does not look at a signal before there is a connection, and a proxy may never answer CONNECT.
  const tooLate = sleep(Number.POSITIVE_INFINITY, late.signal).then((): EndpointResult => {
    return { ok: false, failure: failure('endpoint_timeout', facts) };
  });
  try {
    return await Promise.race([send(call, dispatcher, facts), tooLate]);
  } finally {
    clearTimeout(timer);
    deps.signal.removeEventListener('abort', cut);
    late.abort();
    // Not waited for: what matters is that the sockets go, and a destroy that hangs must not hold up the next attempt.
    dispatcher.destroy().catch(() => undefined);
  }
}

async function send(call: EndpointRequest, dispatcher: Dispatcher, facts: FailureFacts): Promise<EndpointResult> {
  try {
    const response = await request(call.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8', ...call.headers },
      body: JSON.stringify(call.body),
      dispatcher,
    });
    const text = await response.body.text();
    const plaintextAllowed = call.url.startsWith('http:');
    return judgeEndpointAnswer(
      { status: response.statusCode, headers: response.headers, text },
      facts,
      plaintextAllowed,
    );
  } catch (error) {
    if (error instanceof errors.ResponseExceededMaxSizeError) return { ok: false, failure: failure('not_json', facts) };
    return { ok: false, failure: networkFailure(error, facts) };
  }
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/**
 * What an answer of the endpoint means. A `code` in the body counts more than the HTTP status, and both are looked at
 * before `data`. `plaintextAllowed`: a `ws:` address is only taken from an endpoint that is plain http itself.
 */
export function judgeEndpointAnswer(
  answer: HttpAnswer,
  facts: FailureFacts,
  plaintextAllowed: boolean,
): EndpointResult {
  const logId = headerOf(answer, 'x-tt-logid');
  const retryAfterMs = askedPauseMs(answer);
  const known: FailureFacts = {
    ...facts,
    ...(logId === undefined ? {} : { logId: scrubLogId(logId) }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(answer.status === 200 ? {} : { httpStatus: answer.status }),
  };
  const refuse = (reason: ConnectFailure): EndpointResult => ({ ok: false, failure: reason });

  const body = parseObject(answer.text);
  const code = body === null ? undefined : body['code'];
  if (typeof code === 'number' && code !== 0) {
    const words = body?.['msg'];
    return refuse(
      failureOfCode(code, typeof words === 'string' ? { ...known, feishuMessage: scrubText(words) } : known),
    );
  }
  if (answer.status === 407) return refuse(failure('proxy', known));
  if (answer.status === 429) return refuse(failure('rate_limited', known));
  if (answer.status !== 200) return refuse(failure('http_status', known));
  if (body === null) return refuse(failure('not_json', known));

  const data = asObject(body['data']);
  const url = data?.['URL'];
  if (code !== 0 || typeof url !== 'string' || !isGatewayUrl(url, plaintextAllowed)) {
    return refuse(failure('bad_answer', known));
  }
  return { ok: true, url, clientConfig: asObject(data?.['ClientConfig']) ?? {} };
}

function isGatewayUrl(text: string, plaintextAllowed: boolean): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol } = new URL(text);
  return protocol === 'wss:' || (plaintextAllowed && protocol === 'ws:');
}

/** Seconds in `x-ogw-ratelimit-reset` (FEISHU.md §7) or `Retry-After`, as milliseconds. */
function askedPauseMs(answer: HttpAnswer): number | undefined {
  const seconds = Number(headerOf(answer, 'x-ogw-ratelimit-reset') ?? headerOf(answer, 'retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

function headerOf(answer: HttpAnswer, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** A log id is long and opaque by nature, so it is limited by its alphabet in place of being scrubbed. */
export function scrubLogId(logId: string): string {
  return logId.replace(/[^A-Za-z0-9_-]/g, '').slice(0, 64);
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return null;
  }
}

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}
