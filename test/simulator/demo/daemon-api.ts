/** The daemon's HTTP API as the demo's service calls it (CONTRACT §5). Answers are values, refusals included. */

export interface DaemonAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export interface Ask {
  readonly openId: string;
  readonly scopes: readonly string[];
  readonly reason: string;
  readonly chatId?: string;
}

const REQUEST_MS = 10_000;

export class DaemonApi {
  readonly #baseUrl: string;
  readonly #secret: string;

  constructor(options: { baseUrl: string; secret: string }) {
    this.#baseUrl = options.baseUrl;
    this.#secret = options.secret;
  }

  ask(wish: Ask): Promise<DaemonAnswer> {
    const { openId, scopes, reason, chatId } = wish;
    return this.#call('POST', '/v1/sessions', {
      open_id: openId,
      scopes,
      ...(reason === '' ? {} : { reason }),
      ...(chatId === undefined ? {} : { chat_id: chatId }),
    });
  }

  /** With `waitSeconds` it answers when the session ends or the time is over. */
  session(sessionId: string, waitSeconds = 0): Promise<DaemonAnswer> {
    const wait = waitSeconds > 0 ? `?wait_seconds=${waitSeconds}` : '';
    return this.#call('GET', `/v1/sessions/${encodeURIComponent(sessionId)}${wait}`, undefined, waitSeconds * 1000);
  }

  token(openId: string): Promise<DaemonAnswer> {
    return this.#call('GET', `/v1/users/${encodeURIComponent(openId)}/token`);
  }

  async #call(method: string, path: string, body?: unknown, extraMs = 0): Promise<DaemonAnswer> {
    const response = await fetch(`${this.#baseUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#secret}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_MS + extraMs),
    });
    const answer: unknown = await response.json().catch(() => ({}));
    return { status: response.status, body: (answer ?? {}) as Record<string, unknown> };
  }
}
