/** The usual scene of a whole-daemon test: Feishu in a box, a Redis, one app, one user, one daemon; torn down together. */
import type { TestContext } from 'node:test';
import type { Message } from '../simulator/chat/chats.js';
import type { ClickResult } from '../simulator/chat/clicks.js';
import type { App, User } from '../simulator/directory.js';
import { type Simulator, type SimulatorOptions, startSimulator } from '../simulator/index.js';
import { type Consents, linkIn, newConsents, sessionOfLink } from './consents.js';
import { type Daemon, type DaemonOptions, newDaemon } from './daemon.js';
import { patientAsk } from './patient-ask.js';
import { newRedisServer, type RedisServer } from './redis-server.js';
import { newTcpRelay, type TcpRelay } from './tcp-relay.js';
import { type Entrance, newEntrance, WAY, type Way } from './ways.js';

export interface Scene extends Consents {
  readonly sim: Simulator;
  readonly redis: RedisServer;
  /** Between the daemons and Redis, with the option `relay`. */
  readonly relay: TcpRelay;
  readonly app: App;
  readonly user: User;
  readonly way: Way;
  /** For browsers and HTTP callbacks; null by the ways that need none. */
  readonly entrance: Entrance | null;
  /** The user's open_id in the app. */
  readonly openId: string;
  readonly daemon: Daemon;
  /** All that were started on this scene. */
  readonly daemons: ReadonlySet<Daemon>;
  /** Another daemon (or the same one again) on this scene; closed with it. */
  another(env?: Readonly<Record<string, string>>): Promise<Daemon>;
  /** Uses this daemon from now on in the methods below; the entrance leads there. */
  use(daemon: Daemon): Promise<void>;
  /** Asks by the API; resolves when the card is in the chat. */
  ask(body?: Readonly<Record<string, unknown>>): Promise<Asked>;
  click(messageId: string, action: string, sessionId: string, more?: object): Promise<ClickResult>;
  /** The link that the user's newest card offers. */
  link(): string;
  session(sessionId: string): Promise<Readonly<Record<string, unknown>> & { state: string }>;
  /** Waits until the message shows a card with this text anywhere in it. */
  shows(messageId: string, text: string, timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}

export interface Asked {
  readonly sessionId: string;
  readonly messageId: string;
  readonly message: Message;
}

export interface SceneOptions {
  readonly simulator?: SimulatorOptions;
  readonly env?: DaemonOptions['env'];
  readonly redisArgs?: readonly string[];
  readonly enabledScopes?: string[];
  readonly way?: Way;
  /** Path and query of the redirect URI. */
  readonly redirectPath?: string;
  /** Daemons reach Redis through a relay. */
  readonly relay?: boolean;
  /** Wait until the daemon is ready (default); false: only until it serves HTTP. */
  readonly waitForReady?: boolean;
  /** Called before the daemon starts. */
  readonly beforeStart?: (redis: RedisServer, relay: TcpRelay) => Promise<void> | void;
}

export async function newScene(t: Pick<TestContext, 'after'>, options: SceneOptions = {}): Promise<Scene> {
  const closers: (() => Promise<void>)[] = [];
  const daemons = new Set<Daemon>();
  const close = async (): Promise<void> => {
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) await next();
    for (const each of daemons) assertNoBug(each);
    assertNoTokenSpentTwice(sim);
  };
  t.after(close);
  const sim = await startSimulator({ deviceIntervalSeconds: 1, ...options.simulator });
  closers.push(() => sim.close());
  const redis = await newRedisServer(options.redisArgs);
  closers.push(() => redis.close());
  const app = sim.addApp({
    name: 'Docs Bot',
    ...(options.enabledScopes === undefined ? {} : { enabledScopes: options.enabledScopes }),
  });
  const user = sim.addUser({ name: 'Li Hua' });
  const openId = sim.openId(user, app.appId);
  const relay = await newTcpRelay();
  closers.push(() => relay.close());
  relay.target(redis.port);
  await options.beforeStart?.(redis, relay);
  const way = options.way ?? WAY;
  const entrance = await newEntrance(way, [app], { sim, redirectPath: options.redirectPath });
  if (entrance !== null) closers.push(() => entrance.relay.close());
  const base: DaemonOptions = {
    redisUrl: options.relay === true ? `redis://127.0.0.1:${relay.port}` : redis.url,
    feishuUrl: sim.baseUrl,
    app,
    env: { ...entrance?.env, ...options.env },
  };
  const closeWith = (started: Daemon): Daemon => {
    daemons.add(started);
    closers.push(() => started.close());
    return started;
  };
  let daemon = closeWith(await newDaemon(base));
  await entrance?.leadTo(daemon);
  if (options.waitForReady !== false) await daemon.readiness(200);

  const consents = newConsents(sim);
  closers.push(() => consents.leave());
  const scene: Scene = {
    sim,
    redis,
    relay,
    way,
    entrance,
    app,
    user,
    openId,
    daemons,
    get daemon() {
      return daemon;
    },
    async another(env = {}) {
      return closeWith(await newDaemon({ ...base, env: { ...base.env, ...env } }));
    },
    async use(other) {
      daemon = closeWith(other);
      await entrance?.leadTo(other);
    },
    async ask(body = {}) {
      const answer = await patientAsk(daemon, { open_id: openId, ...body });
      const sessionId = String(answer.body.session_id);
      const who = typeof body['open_id'] === 'string' ? body['open_id'] : openId;
      const message = await sim.until(() => sim.messagesTo(who).find((sent) => isAbout(sim, sent, sessionId)));
      return { sessionId, messageId: message.messageId, message };
    },
    click: (messageId, action, sessionId, more = {}) =>
      sim.click({ messageId, user, value: { action, session_id: sessionId }, ...more }),
    link() {
      const link = linkIn(sim, sim.messagesTo(openId).at(-1)?.content) ?? sim.deviceCodes().at(-1)?.userCode;
      if (link === undefined) throw new Error('no link was made');
      return link;
    },
    ...consents,
    async session(sessionId) {
      return (await daemon.call('GET', `/v1/sessions/${sessionId}`)).body;
    },
    async shows(messageId, text, timeoutMs = 20_000) {
      const shown = (): string => JSON.stringify(sim.message(messageId)?.content ?? '');
      await sim
        .until(() => shown().includes(text), timeoutMs, `the message to show ${text}`)
        .catch((error: Error) => {
          throw new Error(`${error.message}; it shows ${shown().slice(0, 400)}`);
        });
    },
    close,
  };
  return scene;
}

/** Whatever a test is about: no promise may go unwatched, nothing but log lines may be written, nothing may crash. */
function assertNoBug(daemon: Daemon): void {
  const bug = daemon.lines.find(
    ({ event }) => event === 'not-json' || event?.startsWith('process.') === true || event === 'ws.fault',
  );
  if (bug !== undefined) throw new Error(`the daemon has a bug: ${JSON.stringify(bug)}`);
}

/** A refresh token works once. Whoever did not learn what came of it may send it once more, and never again. */
function assertNoTokenSpentTwice(sim: Simulator): void {
  const spent = sim.refreshLedger.find(({ reused }) => reused > 1);
  if (spent === undefined) return;
  throw new Error(
    `refresh token ${spent.generation} of ${spent.chainId} was presented ${spent.reused} times after its use`,
  );
}

/** A card names its session in its buttons, a message in the state of its link. */
const isAbout = (sim: Simulator, { content }: Message, sessionId: string): boolean =>
  JSON.stringify(content).includes(sessionId) || sessionOfLink(linkIn(sim, content)) === sessionId;
