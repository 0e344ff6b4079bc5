/**
 * 1,000 people who have their cards authorize within a minute by the authorization code grant: each presses the button,
 * agrees on Feishu's page and loads the page at the redirect URI, at her own moment of 45 s. Polling cannot do that: the
 * token endpoint takes 1,000 calls a minute, and a device grant needs several (benchmark `thousand`).
 */

import { freePort } from '../../simulator/demo/free-port.js';
import type { User } from '../../simulator/directory.js';
import { linkIn } from '../../support/consents.js';
import { askAll, lookAtAll } from '../asking.js';
import type { BenchContext, Benchmark, Row } from '../benchmark.js';
import { startDaemon } from '../daemon-process.js';
import { cpuMs } from '../process-usage.js';
import { newBenchScene } from '../scene.js';
import { quantile, seededRandom } from '../statistics.js';

const PEOPLE = 1_000;
const SPREAD_MS = 45_000;
const MINUTE_MS = 60_000;
const CARDS_LIMIT_MS = 120_000;
/** Of one page; one that is told to wait loads itself again. */
const PAGE_LIMIT_MS = 20_000;
const MOST_LOADS = 10;

export const codes: Benchmark = {
  name: 'codes',
  what: '1,000 people with cards authorize within a minute by the authorization code grant',
  seconds: 130,
  run: measure,
};

async function measure(context: BenchContext): Promise<Row[]> {
  const { apps, redis, sim, users } = await newBenchScene(context, { apps: 1, users: PEOPLE });
  const [app] = apps as [(typeof apps)[number]];
  const port = await freePort();
  const redirectUri = `http://127.0.0.1:${port}/callback`;
  sim.changeApp(app.appId, { redirectUris: [redirectUri] });
  const daemon = await startDaemon(context, {
    feishuUrl: sim.baseUrl,
    redisUrl: redis.url,
    apps: [app],
    env: {
      AUTH_GRANT: 'authorization_code',
      OAUTH_REDIRECT_URI: redirectUri,
      CALLBACK_SERVER_ENABLED: 'true',
      CALLBACK_SERVER_HOST: '127.0.0.1',
      CALLBACK_SERVER_PORT: String(port),
      // All these people have one address here.
      CALLBACK_SERVER_TRUSTED_PROXIES: '127.0.0.1',
    },
  });
  const messages = new Map<string, string>();
  const allHaveCards = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`only ${messages.size} have a card`)), CARDS_LIMIT_MS);
    context.after(() => clearTimeout(late));
    sim.on('message', ({ data }) => {
      messages.set(String(data['user_id']), String(data['message_id']));
      if (messages.size === PEOPLE) resolve();
    });
  });
  const sessionIds = await askAll(daemon, sim, [app], users);
  await allHaveCards;
  context.say('all have their cards');

  const random = seededRandom(5);
  const before = { cpu: cpuMs(daemon.process.pid), at: performance.now() };
  const took: number[] = [];
  const visit = async (user: User, index: number): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, random() * SPREAD_MS));
    const messageId = messages.get(user.userId) ?? '';
    const link = linkIn(sim, sim.message(messageId)?.content) ?? '';
    void sim.click({ messageId, user, value: { action: 'authorize', session_id: sessionIds[index] ?? '' } });
    const { redirectTo = '' } = sim.authorize({ url: link, user });
    const cameBackAt = performance.now();
    if (await isAuthorized(redirectTo, index)) took.push(performance.now() - cameBackAt);
  };
  await Promise.all(users.map(visit));
  const tookMs = performance.now() - before.at;
  const cpu = cpuMs(daemon.process.pid) - before.cpu;
  const states = await lookAtAll(daemon, sessionIds, (session) => session['state']);
  const completed = states.filter((state) => state === 'completed').length;
  const name = '1,000 by code';
  const none = { of: 'measured', bound: 'most', value: 0 } as const;
  return [
    {
      what: `${name}: not authorized in the end (page or API)`,
      measured: PEOPLE - Math.min(completed, took.length),
      unit: '',
      goal: none,
    },
    {
      what: `${name}: calls over Feishu's limits, of ${sim.calls.length}`,
      measured: sim.overLimit,
      unit: '',
      goal: none,
    },
    {
      what: `${name}: from the first press to the last page`,
      measured: tookMs / 1000,
      unit: 's',
      baseline: { what: 'a minute', value: MINUTE_MS / 1000 },
      goal: { of: 'ratio', bound: 'most', value: 1 },
    },
    { what: `${name}: redirect to page, p50`, measured: quantile(took, 0.5), unit: 'ms' },
    { what: `${name}: redirect to page, p99`, measured: quantile(took, 0.99), unit: 'ms' },
    { what: `${name}: processor time per session`, measured: cpu / PEOPLE, unit: 'ms' },
  ];
}

/** Loads the page as a browser does, again while it says that it loads itself again. */
async function isAuthorized(url: string, index: number): Promise<boolean> {
  const headers = { 'x-forwarded-for': `10.0.${Math.floor(index / 250)}.${(index % 250) + 1}` };
  for (let loads = 0; loads < MOST_LOADS; loads += 1) {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(PAGE_LIMIT_MS) });
    const text = await answer.text();
    if (text.includes('Authorized: ')) return true;
    if (!text.includes('http-equiv="refresh"')) return false;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
  return false;
}
