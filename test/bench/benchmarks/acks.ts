/**
 * How many clicks a connection answers: another person clicks somebody's card (one check in the store, a toast), against
 * a bare SDK client that gives every click the same toast. Same payload, same gateway, rounds in turn.
 */
import { callbackEnvelope } from '../../simulator/chat/callback-event.js';
import { startBareClient } from '../bare-process.js';
import type { BenchContext, Benchmark, Row } from '../benchmark.js';
import { startDaemon } from '../daemon-process.js';
import { cpuMs } from '../process-usage.js';
import { type Load, type LoadResult, type PushGateway, STAMP, startPushGateway } from '../push-gateway.js';
import { type BenchScene, newBenchScene } from '../scene.js';
import { median, quantile } from '../statistics.js';

const ROUNDS = 5;
const WARM_UP: Load = { inFlight: 64, durationMs: 2_000 };
/** As fast as it goes. */
const FULL: Load = { inFlight: 64, durationMs: 2_500 };
/** Far below what either side can do: what one click takes. */
const CALM: Load = { perSecond: 200, durationMs: 2_000 };

export const acks: Benchmark = {
  name: 'acks',
  what: 'clicks by somebody else, as many as go through, against a bare SDK client with a constant answer',
  seconds: 60,
  run: measure,
};

async function measure(context: BenchContext): Promise<Row[]> {
  const scene = await newBenchScene(context, { apps: 2, users: 2 });
  const { apps, redis, sim } = scene;
  const [ours, bares] = apps as [BenchScene['apps'][number], BenchScene['apps'][number]];
  const gateway = await startPushGateway(
    context,
    sim,
    apps.map((app) => app.appId),
  );
  const daemon = await startDaemon(context, { feishuUrl: sim.baseUrl, redisUrl: redis.url, apps: [ours] });
  const bare = await startBareClient(context, sim, bares, gateway.connected(bares.appId));
  const asked = scene.users[0] as BenchScene['users'][number];
  const session = await daemon.call('POST', '/v1/sessions', { open_id: sim.openId(asked, ours.appId) });
  const click = (appId: string): string => foreignClick(scene, appId, String(session['session_id']));

  const sides = [
    { name: 'daemon', pid: daemon.process.pid, appId: ours.appId, payload: click(ours.appId) },
    { name: 'bare client', pid: bare.process.pid, appId: bares.appId, payload: click(bares.appId) },
  ] as const;
  for (const { appId, payload } of sides) await gateway.push(appId, payload, WARM_UP);
  const full = await inTurn(context, gateway, sides, FULL);
  const calm = await inTurn(context, gateway, sides, CALM);
  return [...rowsOf(full, true), ...rowsOf(calm, false)];
}

interface Side {
  readonly name: string;
  readonly pid: number;
  readonly appId: string;
  readonly payload: string;
}

interface Measured extends LoadResult {
  /** Processor time of the client, microseconds. */
  readonly cpuPerAck: number;
}

interface Rounds {
  readonly load: Load;
  readonly daemon: readonly Measured[];
  readonly bare: readonly Measured[];
}

async function inTurn(
  context: BenchContext,
  gateway: PushGateway,
  sides: readonly [Side, Side],
  load: Load,
): Promise<Rounds> {
  const round = async ({ name, pid, appId, payload }: Side): Promise<Measured> => {
    const before = { generator: process.cpuUsage(), client: cpuMs(pid) };
    const result = await gateway.push(appId, payload, load);
    const used = process.cpuUsage(before.generator);
    const cpuPerAck = ((cpuMs(pid) - before.client) * 1000) / result.latenciesMs.length;
    const p99 = quantile(result.latenciesMs, 0.99);
    const busy = (used.user + used.system) / 1000 / load.durationMs;
    context.say(
      `${name}: ${result.acksPerSecond.toFixed(0)} acks a second, p99 ${p99.toFixed(1)} ms, ` +
        `${cpuPerAck.toFixed(0)} us each; the generator used ${(busy * 100).toFixed(0)} % of a core`,
    );
    return { ...result, cpuPerAck };
  };
  const daemon: Measured[] = [];
  const bare: Measured[] = [];
  for (let count = 0; count < ROUNDS; count += 1) {
    daemon.push(await round(sides[0]));
    bare.push(await round(sides[1]));
  }
  return { load, daemon, bare };
}

function rowsOf({ bare, daemon, load }: Rounds, judged: boolean): Row[] {
  const how = 'inFlight' in load ? `${load.inFlight} at once` : `${load.perSecond} a second`;
  const of = (read: (result: Measured) => number) => ({
    measured: median(daemon.map(read)),
    baseline: { what: 'bare SDK client', value: median(bare.map(read)) },
  });
  const latency = (share: number): Row => ({
    what: `Foreign click, ${how}: p${share * 100}`,
    unit: 'ms',
    ...of(({ latenciesMs }) => quantile(latenciesMs, share)),
  });
  const throughput: Row = {
    what: `Foreign click, ${how}: acks`,
    unit: '/s',
    ...of(({ acksPerSecond }) => acksPerSecond),
    goal: { of: 'ratio', bound: 'least', value: 0.5 },
  };
  const cpu: Row = {
    what: `Foreign click, ${how}: processor time of the client`,
    unit: 'us',
    ...of(({ cpuPerAck }) => cpuPerAck),
  };
  return [...(judged ? [throughput, cpu] : []), latency(0.5), latency(0.99)];
}

/** The same click for both sides: another person presses Authorize on the card of a session. */
function foreignClick({ apps, sim, users }: BenchScene, appId: string, sessionId: string): string {
  const app = apps.find((known) => known.appId === appId);
  const other = users[1];
  if (app === undefined || other === undefined) throw new Error('the scene has two apps and two users');
  const facts = {
    app,
    tenantKey: 'bench',
    openId: sim.openId(other, appId),
    unionId: other.unionId,
    userId: other.userId,
    messageId: 'om_0123456789abcdef0123456789abcdef',
    chatId: 'oc_0123456789abcdef0123456789abcdef',
    callbackToken: 'c-bench',
    now: Date.now(),
  };
  const value = { action: 'authorize', session_id: sessionId };
  return JSON.stringify(callbackEnvelope(facts, { value, eventId: STAMP }));
}
