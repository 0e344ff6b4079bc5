/**
 * What watching costs: a scrape of the metrics and a look at the status page with 100,000 sessions and grants in Redis,
 * against the same with a handful; and what an authorization writes to the log, from the request to the token.
 */
import { readFile } from 'node:fs/promises';
import { storeKeys } from '../../../src/store/keys.js';
import { fillSessions } from '../../support/many-sessions.js';
import { askAll } from '../asking.js';
import type { BenchContext, Benchmark, Goal, Row } from '../benchmark.js';
import { gatherCrowd } from '../crowd.js';
import { type BenchDaemon, startDaemon } from '../daemon-process.js';
import { newBenchScene } from '../scene.js';
import { quantile } from '../statistics.js';

const PEOPLE = 50;
const THINK_MS = 1_000;
const LIMIT_MS = 60_000;
const SESSIONS = 100_000;
const LOOKS = 100;
/** Issue "Run it": a scrape costs less with 100,000 sessions. */
const SCRAPE_GOAL: Goal = { of: 'measured', bound: 'most', value: 50 };
const FAR_AWAY_MS = 3_600_000;

export const watching: Benchmark = {
  name: 'watching',
  what: `scrapes and the status page with ${SESSIONS.toLocaleString('en')} sessions; log lines of an authorization`,
  seconds: 40,
  run: measure,
};

async function measure(context: BenchContext): Promise<Row[]> {
  const { apps, redis, sim, users } = await newBenchScene(context, { apps: 1, users: PEOPLE });
  const [app] = apps as [(typeof apps)[number]];
  const daemon = await startDaemon(context, { feishuUrl: sim.baseUrl, redisUrl: redis.url, apps: [app] });
  const crowd = gatherCrowd(context, { sim, users, appId: app.appId, name: 'daemon', thinkMs: () => THINK_MS });
  const before = await written(daemon);
  await askAll(daemon, sim, [app], users);
  await crowd.finished(LIMIT_MS);
  if (crowd.count() < PEOPLE) throw new Error(`${PEOPLE - crowd.count()} people were lost`);
  for (const user of users) await daemon.call('GET', `/v1/users/${sim.openId(user, app.appId)}/token`);
  const after = await written(daemon);

  const paths = ['/metrics', '/v1/status'] as const;
  const few: number[][] = [];
  for (const path of paths) few.push(await look(daemon, path));
  await fillSessions(redis.client, storeKeys('authd'), app.appId, { count: SESSIONS, openInMs: FAR_AWAY_MS });
  context.say(`Redis holds ${SESSIONS} sessions`);
  const rows: Row[] = [];
  for (const [i, path] of paths.entries()) {
    const took = await look(daemon, path);
    for (const share of [0.5, 0.99]) {
      rows.push({
        what: `GET ${path}, ${SESSIONS.toLocaleString('en')} sessions: p${share * 100}`,
        measured: quantile(took, share),
        unit: 'ms',
        baseline: { what: `${PEOPLE} sessions`, value: quantile(few[i] ?? [], share) },
        ...(path === '/metrics' && share > 0.5 && { goal: SCRAPE_GOAL }),
      });
    }
  }
  return [
    ...rows,
    {
      what: 'An authorization, asked to token read: log lines',
      measured: (after.lines - before.lines) / PEOPLE,
      unit: '',
    },
    { what: 'An authorization: bytes of log', measured: (after.bytes - before.bytes) / PEOPLE, unit: 'B' },
  ];
}

async function look(daemon: BenchDaemon, path: string): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < LOOKS; i += 1) took.push(await daemon.time(path));
  return took;
}

async function written(daemon: BenchDaemon): Promise<{ lines: number; bytes: number }> {
  const text = await readFile(daemon.process.logFile);
  return { lines: text.toString('latin1').split('\n').length, bytes: text.length };
}
