/**
 * Clicks on Authorize, 30 a second: each needs a call to Feishu's OAuth before its ack can carry the card with the link.
 * First with OAuth answering in 150 ms, then with OAuth that never answers, with people who decline meanwhile. Three
 * apps, because Feishu allows one app 1,000 links a minute. The baseline makes the same call in its handler.
 */

import type { Message } from '../../simulator/chat/chats.js';
import type { ClickResult } from '../../simulator/chat/clicks.js';
import { buttonsOf } from '../../simulator/demo/card-buttons.js';
import type { App } from '../../simulator/directory.js';
import type { Simulator } from '../../simulator/simulator.js';
import { askAll, lookAtAll } from '../asking.js';
import { sendBareCards, startBareClient } from '../bare-process.js';
import type { BenchContext, Benchmark, Goal, Row } from '../benchmark.js';
import { startDaemon } from '../daemon-process.js';
import { atRate } from '../pace.js';
import { newBenchScene } from '../scene.js';
import { quantile } from '../statistics.js';

const APPS = 3;
const PER_SECOND = 30;
const OAUTH_MS = 150;
const SECONDS = 60;
const HANGING_SECONDS = 20;
const BARE_SECONDS = 10;
/** From Authorize, which OAuth leaves without an answer, to Decline on the same card. */
const CHANGES_MIND_MS = 3_000;
const CARDS_LIMIT_MS = 90_000;
const PROGRESS_MS = 5_000;

const CLICKS = PER_SECOND * SECONDS;
const HANGING_CLICKS = PER_SECOND * HANGING_SECONDS;
const BARE_CLICKS = PER_SECOND * BARE_SECONDS;

export const authorize: Benchmark = {
  name: 'authorize',
  what: `clicks on Authorize, ${PER_SECOND} a second for ${SECONDS} s, OAuth taking ${OAUTH_MS} ms; then OAuth hanging`,
  seconds: 150,
  run: measure,
};

async function measure(context: BenchContext): Promise<Row[]> {
  const latencyMs = { device_authorization: OAUTH_MS, token: OAUTH_MS };
  const users = (CLICKS + HANGING_CLICKS) / APPS;
  const scene = await newBenchScene(context, { apps: APPS + 1, users, simulator: { latencyMs } });
  const { redis, sim } = scene;
  const apps = scene.apps.slice(0, APPS);
  const bares = scene.apps[APPS] as App;
  const daemon = await startDaemon(context, { feishuUrl: sim.baseUrl, redisUrl: redis.url, apps });
  const cards = await sendCards(context, sim, () => askAll(daemon, sim, apps, scene.users));
  await startBareClient(context, sim, bares);
  const bareCards = sendBareCards(sim, bares, scene.users.slice(0, BARE_CLICKS));

  context.say(`bare client: ${PER_SECOND} clicks a second for ${BARE_SECONDS} s`);
  const bare = await press(sim, bareCards, 'authorize');
  context.say(`daemon: ${PER_SECOND} clicks a second for ${SECONDS} s`);
  const swift = await press(sim, cards.slice(0, CLICKS), 'authorize');

  context.say(
    `OAuth hangs; ${PER_SECOND} clicks a second for ${HANGING_SECONDS} s, declined ${CHANGES_MIND_MS} ms later`,
  );
  for (const api of ['device_authorization', 'token'] as const) sim.faults.add({ on: 'api', api, kind: 'hang' });
  const hanging = cards.slice(CLICKS);
  const [bareHanging, stuck, declined] = await Promise.all([
    press(sim, bareCards, 'authorize'),
    press(sim, hanging, 'authorize'),
    new Promise((resolve) => setTimeout(resolve, CHANGES_MIND_MS)).then(() => press(sim, hanging, 'decline')),
  ]);
  const ids = hanging.map(sessionOf);
  const states = await lookAtAll(daemon, ids, (session) => session['state']);
  const rejected = states.filter((state) => state === 'rejected').length;

  const swiftName = `Authorize, ${PER_SECOND} a second, OAuth ${OAUTH_MS} ms`;
  return [
    {
      what: `${swiftName}: acks with the link's card`,
      measured: percent(swift.filter(carriesLink).length, swift.length),
      unit: '%',
      baseline: { what: 'bare SDK client', value: percent(bare.filter(carriesLink).length, bare.length) },
      goal: { of: 'measured', bound: 'least', value: 99 },
    },
    latency(swiftName, swift, bare, 0.5),
    latency(swiftName, swift, bare, 0.99, BELOW_A_SECOND),
    latency('Authorize, OAuth hangs', stuck, bareHanging, 0.99, BELOW_A_SECOND),
    latency('Decline, OAuth hangs', declined, null, 0.99, BELOW_A_SECOND),
    {
      what: 'Decline, OAuth hangs: sessions rejected, card shown by the ack',
      measured: percent(Math.min(rejected, declined.filter(carriesCard).length), hanging.length),
      unit: '%',
      goal: { of: 'measured', bound: 'least', value: 100 },
    },
  ];
}

const BELOW_A_SECOND: Goal = { of: 'measured', bound: 'most', value: 1_000 };

function latency(
  name: string,
  clicks: readonly ClickResult[],
  bare: readonly ClickResult[] | null,
  share: number,
  goal?: Goal,
): Row {
  const of = (results: readonly ClickResult[]): number =>
    quantile(
      results.map((result) => result.tookMs),
      share,
    );
  return {
    what: `${name}: ack, p${share * 100}`,
    measured: of(clicks),
    unit: 'ms',
    ...(bare === null ? {} : { baseline: { what: 'bare SDK client', value: of(bare) } }),
    ...(goal === undefined ? {} : { goal }),
  };
}

/** The cards, in the order in which they were asked for. */
async function sendCards(context: BenchContext, sim: Simulator, ask: () => Promise<string[]>): Promise<Message[]> {
  const progress = setInterval(() => context.say(`setting up: ${sim.messages().length} cards sent`), PROGRESS_MS);
  try {
    const sessionIds = await ask();
    await sim.until(() => sim.chats.messages.size >= sessionIds.length, CARDS_LIMIT_MS, 'all cards');
    const bySession = new Map(sim.messages().map((message) => [sessionOf(message), message]));
    return sessionIds.map((id) => bySession.get(id) as Message);
  } finally {
    clearInterval(progress);
  }
}

function press(sim: Simulator, cards: readonly Message[], action: string): Promise<ClickResult[]> {
  return atRate(PER_SECOND, cards.length, async (i) => {
    const { appId, content, messageId, userId = '' } = cards[i] as Message;
    const value = buttonsOf(content).find((button) => button.action === action)?.value ?? { action };
    return await sim.click({ messageId, appId, userId, value });
  });
}

function sessionOf(message: Message): string {
  const value = buttonsOf(message.content).find((button) => button.value !== undefined)?.value;
  return String(value?.['session_id']);
}

const carriesCard = ({ card, errorCode }: ClickResult): boolean => card !== undefined && errorCode === undefined;

const carriesLink = (result: ClickResult): boolean =>
  carriesCard(result) && buttonsOf(result.card).some((button) => button.url !== undefined);

const percent = (part: number, whole: number): number => (100 * part) / whole;
