/**
 * The HTTP client for a few calls by hand, outside the daemon: without the shared budget, because it must work while
 * Redis is away. Everything that calls in numbers uses http-exchange.ts.
 */
import type { Dispatcher } from 'undici';
import type { FeishuExchange } from '../../domain/feishu-exchange.js';
import { readReply } from './reply.js';
import { sendOnce } from './send.js';

export interface DirectExchangeDeps {
  /** The connection pool for a URL: direct or by proxy. The caller closes it. */
  readonly dispatcherFor: (url: string) => Dispatcher;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

export const createDirectExchange =
  ({ clock, dispatcherFor }: DirectExchangeDeps): FeishuExchange =>
  async (request) =>
    readReply(await sendOnce(dispatcherFor(request.url), request), clock());
