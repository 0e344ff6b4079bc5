/**
 * Fifty callers in each of eight processes read the same token in the same moment, and it is over: one call to Feishu, the
 * same fresh token for all. Another user in each round; a refresh token that is presented twice would end her grant.
 */
import { randomBytes } from 'node:crypto';
import type { App } from '../../simulator/directory.js';
import type { Simulator } from '../../simulator/simulator.js';
import type { BenchContext, Benchmark, Row } from '../benchmark.js';
import { type CallersResult, startCallers } from '../callers.js';
import { type BenchDaemon, startDaemon } from '../daemon-process.js';
import { consentAtFeishu, storeGrants } from '../grants-at-hand.js';
import { newBenchScene } from '../scene.js';
import { quantile } from '../statistics.js';

const PROCESSES = 8;
const CALLERS = 50;
const ROUNDS = 10;
/** Connections and compiled code; not counted. */
const WARM_UP_ROUNDS = 2;
const FEISHU_MS = 100;
const WEEK_MS = 604_800_000;

export const race: Benchmark = {
  name: 'race',
  what: `${PROCESSES} processes, ${CALLERS} callers each, on one expired token; ${ROUNDS} rounds`,
  seconds: 25,
  run: measure,
};

interface Round {
  readonly calls: number;
  readonly failures: number;
  readonly latenciesMs: readonly number[];
}

async function measure(context: BenchContext): Promise<Row[]> {
  const users = WARM_UP_ROUNDS + ROUNDS;
  const scene = await newBenchScene(context, { apps: 1, users, simulator: { latencyMs: { token: FEISHU_MS } } });
  const { redis, sim } = scene;
  const [app] = scene.apps as [App];
  const openIds = scene.users.map((user) => sim.openId(user, app.appId));
  const tokens = await Promise.all(scene.users.map((user) => consentAtFeishu(sim, app, user)));
  const [now, dueAt] = [Date.now(), Date.now() + WEEK_MS];
  const grants = tokens.map((set, i) => ({
    appId: app.appId,
    openId: openIds[i] ?? '',
    tokens: { ...set, expiresAt: now },
    dueAt,
  }));
  await storeGrants(redis, grants);

  const reader = { id: 'racer', secret: randomBytes(24).toString('hex') };
  const options = { feishuUrl: sim.baseUrl, redisUrl: redis.url, apps: [app], readers: [reader] };
  const daemons: BenchDaemon[] = [];
  while (daemons.length < PROCESSES) {
    // All at once, each would take as long as all of them, and that is longer than one may.
    daemons.push(...(await Promise.all([startDaemon(context, options), startDaemon(context, options)])));
    context.say(`${daemons.length} of ${PROCESSES} daemons are ready`);
  }
  const callers = startCallers(context, {
    ports: daemons.map(({ port }) => port),
    connectionsEach: CALLERS,
    secrets: [reader.secret],
  });
  const rounds: Round[] = [];
  for (const openId of openIds) {
    const result = judge(sim, openId, await callers.ask({ durationMs: 0, openIds: [openId] }));
    const { calls, failures, latenciesMs } = result;
    context.say(`${calls} call(s) to Feishu, ${failures} failures, p99 ${quantile(latenciesMs, 0.99).toFixed(0)} ms`);
    rounds.push(result);
  }
  return rowsOf(sim, rounds.slice(WARM_UP_ROUNDS));
}

/** A failure: no token, or another one than Feishu gave last. */
function judge(sim: Simulator, openId: string, { latenciesMs, statuses, tokens }: CallersResult): Round {
  const newest = sim.accessTokens().findLast((token) => token.openId === openId)?.token;
  const isSame = tokens.length === 1 && tokens[0] === newest;
  return {
    calls: sim.calls.filter((call) => call.grant === 'refresh_token' && call.openId === openId).length,
    failures: isSame ? PROCESSES * CALLERS - (statuses['200'] ?? 0) : PROCESSES * CALLERS,
    latenciesMs,
  };
}

function rowsOf(sim: Simulator, rounds: readonly Round[]): Row[] {
  const name = `${PROCESSES} x ${CALLERS} callers on one expired token`;
  const none = { of: 'measured', bound: 'most', value: 0 } as const;
  // Of the rounds the one that is furthest from one call.
  const worst = rounds.map(({ calls }) => calls).sort((a, b) => Math.abs(b - 1) - Math.abs(a - 1))[0];
  return [
    {
      what: `${name}: calls to Feishu in a round, worst of ${rounds.length}`,
      measured: worst ?? Number.NaN,
      unit: '',
      goal: { of: 'measured', bound: 'exactly', value: 1 },
    },
    {
      what: `${name}: callers without the fresh token, of ${rounds.length * PROCESSES * CALLERS}`,
      measured: rounds.reduce((sum, { failures }) => sum + failures, 0),
      unit: '',
      goal: none,
    },
    {
      what: `${name}: refresh tokens presented again`,
      measured: sim.refreshLedger.reduce((sum, { reused }) => sum + reused, 0),
      unit: '',
      goal: none,
    },
    {
      what: `${name}: answer, p99`,
      measured: quantile(
        rounds.flatMap(({ latenciesMs }) => latenciesMs),
        0.99,
      ),
      unit: 'ms',
      baseline: { what: "Feishu's own time", value: FEISHU_MS },
    },
  ];
}
