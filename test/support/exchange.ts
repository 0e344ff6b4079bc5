/** The real HTTP exchange on a real budget, with its log lines kept. */
import { Redis } from 'ioredis';
import { Agent } from 'undici';
import type { CallBudget, CallLimits } from '../../src/domain/call-budget.js';
import type { FeishuExchange } from '../../src/domain/feishu-exchange.js';
import { createHttpExchange } from '../../src/feishu/open-api/http-exchange.js';
import { createBudget } from '../../src/store/budget.js';
import { storeKeys } from '../../src/store/keys.js';
import { type CapturedLog, captureLog } from './captured-log.js';
import { newMetrics } from './metrics.js';
import { newRedisServer } from './redis-server.js';

export interface TestExchange {
  readonly exchange: FeishuExchange;
  readonly budget: CallBudget;
  readonly log: CapturedLog;
  /** Ends Redis under the budget. */
  killRedis(): Promise<void>;
  stop(): Promise<void>;
}

export async function startExchange(): Promise<TestExchange> {
  const redis = await newRedisServer();
  const client = newClient(redis.url);
  const agent = new Agent({ connect: { timeout: 500 } });
  const log = captureLog();
  const budget = createBudget({ redis: client, keys: storeKeys('test') });
  const exchange = createHttpExchange({
    dispatcherFor: () => agent,
    budget,
    metrics: newMetrics().counts,
    logger: log.logger,
    random: () => 0,
    clock: Date.now,
  });
  return {
    exchange,
    budget,
    log,
    killRedis: () => redis.kill(),
    async stop() {
      await agent.destroy();
      client.disconnect();
      await redis.close();
    },
  };
}

/** A connection whose commands fail soon when Redis is gone, as the daemon's do. */
export function newClient(url: string): Redis {
  const client = new Redis(url, { commandTimeout: 2_000, maxRetriesPerRequest: 1 });
  // The command that was on a lost connection rejects as well; that is what a test looks at.
  client.on('error', () => undefined);
  return client;
}

export const LIMITS: CallLimits = { perSecond: 50, perMinute: 1_000, maxWaitMs: 1_000 };
