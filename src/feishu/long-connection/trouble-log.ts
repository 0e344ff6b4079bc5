/**
 * What the log says about a long connection's troubles, and how often. Owns the counters, decides nothing.
 *
 * A refusal that only a person can end is said once as an error, then at most once a minute with a count. What passes
 * by itself is one warning each, unless there are so many that they would flood the log.
 */
import type { Logger } from 'pino';
import type { ConnectFailure } from './failures.js';

const REMIND_EVERY_MS = 60_000;
/** Warnings in a row, then one every so often. */
const BURST = 20;
const REFILL_MS = 6_000;

/** What else the line says; ids and numbers only. */
export type TroubleFacts = Readonly<Record<string, string | number>>;

export interface TroubleLog {
  /** `event` is the line's stable name: ws.connect_failed, ws.disconnected, ws.rotation_failed. */
  say(event: string, failure: ConnectFailure, facts: TroubleFacts): void;
  /** The connection is up: the next refusal is news again. */
  recovered(): void;
}

export function createTroubleLog(logger: Logger, appId: string, now: () => number): TroubleLog {
  const refusals = new Map<string, { times: number; saidAt: number }>();
  let tokens = BURST;
  let filledAt = now();
  let unsaid = 0;

  function refused(event: string, failure: ConnectFailure, facts: TroubleFacts): void {
    const key = `${failure.reason}:${failure.feishuCode ?? ''}`;
    const known = refusals.get(key);
    if (known === undefined) {
      refusals.set(key, { times: 1, saidAt: now() });
      logger.error(lineOf(event, failure, facts, appId), textOf(failure));
      return;
    }
    known.times += 1;
    if (Math.abs(now() - known.saidAt) < REMIND_EVERY_MS) return;
    known.saidAt = now();
    logger.warn({ ...lineOf(event, failure, facts, appId), times: known.times }, `Still so: ${textOf(failure)}`);
  }

  function warned(event: string, failure: ConnectFailure, facts: TroubleFacts): void {
    const refill = Math.floor(Math.abs(now() - filledAt) / REFILL_MS);
    if (refill > 0) {
      tokens = Math.min(BURST, tokens + refill);
      filledAt = now();
    }
    if (tokens === 0) {
      unsaid += 1;
      return;
    }
    tokens -= 1;
    const line = lineOf(event, failure, facts, appId);
    logger.warn(unsaid === 0 ? line : { ...line, lines_left_out: unsaid }, textOf(failure));
    unsaid = 0;
  }

  return {
    say: (event, failure, facts) => (failure.retry === 'backoff' ? warned : refused)(event, failure, facts),
    recovered: () => refusals.clear(),
  };
}

function textOf({ message, remedy }: ConnectFailure): string {
  return `${message}. ${remedy}`;
}

function lineOf(event: string, failure: ConnectFailure, facts: TroubleFacts, appId: string): Record<string, unknown> {
  const { reason, feishuCode, feishuMessage, logId, httpStatus, closeCode, host, proxy, errorCode } = failure;
  const line = {
    event,
    app_id: appId,
    // `reason` in a log line is the requester's text and redacted (CONTRACT §8).
    cause: reason,
    feishu_code: feishuCode,
    feishu_msg: feishuMessage,
    log_id: logId,
    http_status: httpStatus,
    close_code: closeCode,
    host,
    proxy,
    error_code: errorCode,
    ...facts,
  };
  return Object.fromEntries(Object.entries(line).filter(([, value]) => value !== undefined));
}
