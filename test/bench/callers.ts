/** The callers of callers-process.ts, as a benchmark holds them. */
import { join } from 'node:path';
import type { BenchContext } from './benchmark.js';
import { startChild } from './child.js';

export interface CallersOptions {
  readonly ports: readonly number[];
  /** Kept open from the start on. */
  readonly connectionsEach: number;
  /** They call as these clients, in turn: the API allows one client 1,200 calls in 10 s. */
  readonly secrets: readonly string[];
}

/** Each connection asks one time after the other for so long, and at least once; the users in turn. */
export interface CallersOrder {
  readonly durationMs: number;
  /** All of them together ask no more often, give or take one each. */
  readonly mostCalls?: number;
  readonly openIds: readonly string[];
}

export interface CallersResult {
  readonly latenciesMs: readonly number[];
  /** How many answers had which status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** The different tokens they got; only of those who ask once. */
  readonly tokens: readonly string[];
  readonly tookMs: number;
  /** Processor time of the callers. */
  readonly cpuMs: number;
}

export interface Callers {
  ask(order: CallersOrder): Promise<CallersResult>;
}

const LAST_ANSWER_MS = 30_000;

export function startCallers(context: BenchContext, options: CallersOptions): Callers {
  const child = startChild(context, {
    name: 'callers',
    args: ['--import', 'tsx', join(import.meta.dirname, 'callers-process.ts'), JSON.stringify(options)],
    env: {},
    takesOrders: true,
  });
  return {
    ask: async (order) => (await child.order(order, order.durationMs + LAST_ANSWER_MS)) as CallersResult,
  };
}
