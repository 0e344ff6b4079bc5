/**
 * The one HTTP client for Feishu: one request, at most one reply. Bounded in time (one deadline from sending to the
 * last byte), in size and in rate (a turn in the shared budget before sending; Feishu's own "slow down" noted for all).
 * Follows no redirects, repeats nothing, judges nothing. Logs API name, status, code and log id only.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Dispatcher } from 'undici';
import type { CallBudget } from '../../domain/call-budget.js';
import { FeishuError } from '../../domain/feishu-error.js';
import type { FeishuExchange, FeishuReply, FeishuRequest } from '../../domain/feishu-exchange.js';
import type { FeishuCall, Metrics } from '../../domain/metrics.js';
import { createArrivals } from './arrivals.js';
import { readReply } from './reply.js';
import { type RawReply, sendOnce } from './send.js';
import { noTurn, takeTurn } from './turn.js';

export interface HttpExchangeDeps {
  /** The connection pool for a URL: direct or by proxy. Must give the same one for the same origin. */
  readonly dispatcherFor: (url: string) => Dispatcher;
  readonly budget: CallBudget;
  readonly metrics: Pick<Metrics, 'feishuCalled'>;
  readonly logger: Logger;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** Feishu names no time: wait so long (FEISHU.md §4.7: at least a second). */
const DEFAULT_PAUSE_MS = 1_000;
/** Longest wait of a call that has its turn while this process has too many under way. */
const MAX_ROOM_WAIT_MS = 2_000;

export function createHttpExchange(deps: HttpExchangeDeps): FeishuExchange {
  const { budget, clock, logger, random } = deps;
  const arrivals = createArrivals(() => performance.now());

  const send = async (request: FeishuRequest): Promise<{ readonly raw: RawReply; readonly ms: number }> => {
    const { api, appId, limits } = request;
    const answered =
      limits === null ? () => undefined : await arrivals.enter(`${appId} ${api}`, limits.perSecond, MAX_ROOM_WAIT_MS);
    if (answered === null) throw noTurn(api, Math.ceil(MAX_ROOM_WAIT_MS * random()));
    const startedAt = clock();
    try {
      if (request.mayStillSend?.() === false) throw tooLate(api);
      const raw = await sendOnce(deps.dispatcherFor(request.url), request).catch((error: unknown) => {
        deps.metrics.feishuCalled({ api, code: 'no_answer', seconds: (clock() - startedAt) / 1000 });
        throw error;
      });
      return { raw, ms: clock() - startedAt };
    } finally {
      answered();
    }
  };

  return async (request) => {
    if (request.limits !== null) await takeTurn({ budget, clock, random, sleep }, request, request.limits);
    const { raw, ms } = await send(request);
    const reply = readReply(raw, clock());
    logReply(request, reply, raw, ms);
    deps.metrics.feishuCalled({ api: request.api, code: codeOf(reply), seconds: ms / 1000 });
    if (!reply.rateLimited) return reply;
    const pauseMs = reply.retryAfterMs ?? DEFAULT_PAUSE_MS;
    await notePause(request, reply, pauseMs);
    // Not all at the first moment the pause is over.
    return { ...reply, retryAfterMs: Math.ceil(pauseMs * (1 + 0.2 * random())) };
  };

  function logReply(request: FeishuRequest, reply: FeishuReply, raw: RawReply, ms: number): void {
    logger.debug(
      {
        event: 'feishu.call',
        app_id: request.appId,
        api: request.api,
        http_status: raw.status,
        feishu_code: reply.code ?? undefined,
        log_id: reply.logId ?? undefined,
        ms,
      },
      'Called Feishu',
    );
  }

  /** A bound of one message or chat stops only that one (230020); every other refusal stops the whole API. */
  async function notePause(request: FeishuRequest, reply: FeishuReply, pauseMs: number): Promise<void> {
    const { api, appId, limits } = request;
    const line = { event: 'feishu.rate_limited', app_id: appId, api, http_status: reply.status, pause_ms: pauseMs };
    logger.warn(
      { ...line, feishu_code: reply.code ?? undefined, log_id: reply.logId ?? undefined },
      'Feishu says slow down',
    );
    if (limits === null) return;
    const narrow = reply.code === NARROW_FREQUENCY_LIMIT ? (limits.also ?? []) : [];
    const ids = narrow.length === 0 ? [undefined] : narrow.map((limit) => limit.id);
    try {
      await Promise.all(ids.map((id) => budget.pause(appId, api, pauseMs, id)));
    } catch (error) {
      // The caller is told to wait all the same; the other processes will hear it from Feishu themselves.
      logger.warn({ event: 'feishu.pause_not_shared', app_id: appId, api, err: error }, 'Could not share the pause');
    }
  }
}

const tooLate = (api: string): FeishuError =>
  new FeishuError('transient', 'not sent: it would have been too late', { api, meaning: 'retry' });

/** The OAuth endpoints say success without a code (FEISHU.md §6.3). */
const codeOf = ({ body, code, status }: FeishuReply): FeishuCall['code'] =>
  code ?? (status >= 200 && status < 300 && body !== null ? 0 : 'no_code');

/** FEISHU.md §4.7: "frequency limit (message or user)". */
const NARROW_FREQUENCY_LIMIT = 230020;
