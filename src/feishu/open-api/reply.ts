/**
 * Raw HTTP reply -> FeishuReply. Pure. Survives HTML, nothing and half a document; knows Feishu's rate codes and
 * headers (FEISHU.md §7). Says nothing about success: that is the judges' part.
 */
import type { FeishuReply } from '../../domain/feishu-exchange.js';
import { numberOf, objectOf } from '../../domain/json-fields.js';
import type { RawReply } from './send.js';

/** 99991400: rate limit of the app; 230020: of a message or user; 11232: platform busy around full hours. */
const RATE_CODES: ReadonlySet<number> = new Set([99991400, 230020, 11232]);

/** Feishu's windows are at most a minute; a longer wait is not one it means. */
const LONGEST_WAIT_SECONDS = 300;

export function readReply(raw: RawReply, nowMs: number): FeishuReply {
  const body = parseJson(raw.text);
  const code = numberOf(objectOf(body)['code']);
  const rateLimited = raw.status === 429 || (code !== null && RATE_CODES.has(code));
  return {
    status: raw.status,
    body,
    code,
    logId: logId(raw.header('x-tt-logid')),
    rateLimited,
    // The gateway may send its counters with every reply; they mean "wait" only in a refusal.
    retryAfterMs: rateLimited || raw.status >= 500 ? retryAfterMs(raw, nowMs) : null,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** Log ids are letters and digits; anything else is not taken into our logs. */
const logId = (value: string | null): string | null => (value !== null && /^[\w.-]{1,128}$/.test(value) ? value : null);

/** `x-ogw-ratelimit-reset` in seconds, else `Retry-After` in seconds or as a date (RFC 9110 §10.2.3). */
function retryAfterMs(raw: RawReply, nowMs: number): number | null {
  const retryAfter = raw.header('retry-after');
  const seconds = numberOf(raw.header('x-ogw-ratelimit-reset')) ?? numberOf(retryAfter) ?? untilDate(retryAfter, nowMs);
  if (seconds === null || seconds <= 0) return null;
  return Math.ceil(Math.min(seconds, LONGEST_WAIT_SECONDS) * 1000);
}

function untilDate(value: string | null, nowMs: number): number | null {
  const at = value === null ? Number.NaN : Date.parse(value);
  return Number.isFinite(at) ? (at - nowMs) / 1000 : null;
}
