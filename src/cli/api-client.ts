/**
 * One call of the daemon's API: key, deadline, size limit, and what became of it. Owns the transport only; what a
 * refusal means for the command line is api-problem.ts. No proxy is used: the API is on the intranet.
 */
import { Agent, request } from 'undici';
import type { ClientSettings } from '../config/client-settings.js';
import { type Answer, readProblem } from './api-problem.js';
import { noAnswer, noApi } from './network-trouble.js';

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With its leading slash; parts of it encoded (see api-path.ts). */
  readonly path: string;
  /** Parameters that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: Readonly<Record<string, unknown>>;
  /** The server may take this long on purpose (long poll); comes on top of the usual deadline. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

export interface ApiClient {
  /**
   * The JSON of a 2xx answer; null when it has none.
   * @throws CommandFailure when the API refused, did not answer, or something else answered
   */
  call(call: ApiCall): Promise<unknown>;
  /** Cuts what is under way. */
  close(): Promise<void>;
}

const CONNECT_MS = 5_000;
/** A page of 100 sessions with full metadata has less than 1 MB. */
const MAX_BYTES = 8 * 1_048_576;

export function createApiClient({ apiKey, timeoutSeconds, url }: ClientSettings): ApiClient {
  const agent = new Agent({ connect: { timeout: CONNECT_MS }, maxResponseSize: MAX_BYTES });

  const send = async (call: ApiCall): Promise<Answer> => {
    const deadlineMs = timeoutSeconds * 1000 + (call.waitMs ?? 0);
    const deadline = AbortSignal.timeout(deadlineMs);
    const signal = call.signal === undefined ? deadline : AbortSignal.any([deadline, call.signal]);
    try {
      const response = await request(`${url}${call.path}${queryText(call.query)}`, {
        method: call.method,
        headers: {
          authorization: `Bearer ${apiKey}`,
          accept: 'application/json, application/problem+json',
          ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        headersTimeout: deadlineMs,
        bodyTimeout: deadlineMs,
        dispatcher: agent,
        signal,
      });
      const { headers, statusCode: status } = response;
      return { status, retryAfter: headerText(headers['retry-after']), text: await response.body.text() };
    } catch (error) {
      if (call.signal?.aborted === true) throw error;
      throw noAnswer(url, error, deadline.aborted ? deadlineMs : null);
    }
  };

  return {
    async call(call) {
      const answer = await send(call);
      if (answer.status === 204) return null;
      const body = parseJson(answer.text);
      if (answer.status >= 200 && answer.status < 300 && body !== undefined) return body;
      throw readProblem(answer, body, apiKey) ?? noApi(url, answer.status);
    },
    close: () => agent.destroy(),
  };
}

function queryText(query: ApiCall['query'] = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  return parameters.size === 0 ? '' : `?${parameters}`;
}

const headerText = (value: string | string[] | undefined): string | null =>
  (Array.isArray(value) ? value[0] : value) ?? null;

/** undefined: it is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
