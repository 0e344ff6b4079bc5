/**
 * One budget of calls per app and API, shared by all processes through Redis: an exact sliding log (scripts/budget.ts).
 * Owns the keys `<prefix>:{<app_id>}:budget:…`, all of which expire by themselves. Does not wait and does not send.
 *
 * Feishu counts arrivals, we count departures. What left further apart may arrive closer together, so each window is
 * `marginMs` longer than Feishu's: as long as the delay between grant and arrival differs by no more than that, no
 * window at Feishu's end holds more than its bound.
 */
import type { Redis } from 'ioredis';
import type { CallBudget, CallRequest, Turn } from '../domain/call-budget.js';
import type { StoreKeys } from './keys.js';
import { pauseScript, reserveScript, usedScript } from './scripts/budget.js';

export interface BudgetOptions {
  readonly redis: Redis;
  readonly keys: Pick<StoreKeys, 'base'>;
  /** See above. */
  readonly marginMs?: number;
  /** What a "second" and a "minute" last; only tests shorten them. */
  readonly secondMs?: number;
  readonly minuteMs?: number;
}

interface Gate {
  readonly log: string;
  readonly pause: string;
  readonly perSecond: number;
  readonly perMinute: number;
}

/** Burst after burst, what a busy machine was late in sending may not meet what follows it: measured, half as much did. */
const MARGIN_MS = 400;
/** A reservation lies no further ahead; the script takes anything beyond a minute for a clock that was set back. */
const LONGEST_WAIT_MS = 30_000;
const LONGEST_PAUSE_MS = 600_000;

export interface BudgetUse {
  /** Calls of the last minute, reserved ones included, API by API; at most the bound they were counted under. */
  lastMinute(appId: string, apis: readonly string[]): Promise<number[]>;
}

export function createBudget(options: BudgetOptions): CallBudget & BudgetUse {
  const { redis, keys, marginMs = MARGIN_MS } = options;
  const second = (options.secondMs ?? 1_000) + marginMs;
  const minute = (options.minuteMs ?? 60_000) + marginMs;
  const key = (appId: string, kind: string, name: string): string => `${keys.base(appId)}:budget:${kind}:${name}`;
  const pauseKey = (appId: string, api: string, narrowId?: string): string =>
    key(appId, 'pause', narrowId === undefined ? api : `${api}:${narrowId}`);

  const gates = (call: CallRequest): Gate[] => {
    const narrow = (call.also ?? []).map((limit) => ({
      log: key(call.appId, 'log', `${call.api}:${limit.id}`),
      pause: pauseKey(call.appId, call.api, limit.id),
      perSecond: atLeastOne(limit.perSecond),
      perMinute: 0,
    }));
    if (call.share === undefined) return narrow;
    const { name, part } = call.share;
    const share = {
      log: key(call.appId, 'log', `${call.api}:share:${name}`),
      pause: pauseKey(call.appId, call.api, `share:${name}`),
      perSecond: atLeastOne(call.perSecond * part),
      perMinute: atLeastOne(call.perMinute * part),
    };
    return [share, ...narrow];
  };

  return {
    async reserve(call): Promise<Turn> {
      const narrower = gates(call);
      const used = [key(call.appId, 'log', call.api), pauseKey(call.appId, call.api)];
      for (const gate of narrower) used.push(gate.log, gate.pause);
      const bounds = [atLeastOne(call.perSecond), atLeastOne(call.perMinute)];
      for (const gate of narrower) bounds.push(gate.perSecond, gate.perMinute);
      const longest = between(call.maxWaitMs, 0, LONGEST_WAIT_MS);
      const answer = await reserveScript(redis, used, [longest, second, minute, ...bounds]);
      const [granted, ms] = answer as [number, number];
      return granted === 1 ? { granted: true, waitMs: ms } : { granted: false, retryAfterMs: Math.max(1, ms) };
    },

    async pause(appId, api, ms, narrowId): Promise<void> {
      await pauseScript(redis, [pauseKey(appId, api, narrowId)], [between(ms, 1, LONGEST_PAUSE_MS)]);
    },

    async pausedForMs(appId, api): Promise<number> {
      return Math.max(0, await redis.pttl(pauseKey(appId, api)));
    },

    async lastMinute(appId, apis): Promise<number[]> {
      const logs = apis.map((api) => key(appId, 'log', api));
      return (await usedScript(redis, logs, [minute])) as number[];
    },
  };
}

const atLeastOne = (value: number): number => (value >= 1 ? Math.floor(value) : 1);

/** Whole milliseconds; the lower bound for anything that is not a number. */
const between = (value: number, least: number, most: number): number =>
  value >= least ? Math.ceil(Math.min(most, value)) : least;
