/** The real HTTP exchange on a real budget, with its log lines kept. */
import { Agent } from 'undici';
import type { CallBudget, CallLimits } from '../../src/domain/call-budget.js';
import type { FeishuExchange } from '../../src/domain/feishu-exchange.js';
import { createHttpExchange } from '../../src/feishu/open-api/http-exchange.js';
import { createBudget } from '../../src/store/budget.js';
import { storeKeys } from '../../src/store/keys.js';
import { type CapturedLog, captureLog } from './captured-log.js';
import { startPrivateRedis } from './private-redis.js';

export interface TestExchange {
  readonly exchange: FeishuExchange;
  readonly budget: CallBudget;
  readonly log: CapturedLog;
  /** Ends Redis under the budget. */
  killRedis(): Promise<void>;
  stop(): Promise<void>;
}

export async function startExchange(): Promise<TestExchange> {
  const redis = await startPrivateRedis();
  const agent = new Agent({ connect: { timeout: 500 } });
  const log = captureLog();
  const budget = createBudget({ redis: redis.connect(), keys: storeKeys('test') });
  const exchange = createHttpExchange({
    dispatcherFor: () => agent,
    budget,
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
      await redis.stop();
    },
  };
}

export const LIMITS: CallLimits = { perSecond: 50, perMinute: 1_000, maxWaitMs: 1_000 };
