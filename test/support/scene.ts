/** The usual scene of a whole-daemon test: Feishu in a box, a Redis, one app, one user, one daemon; torn down together. */
import type { TestContext } from 'node:test';
import type { Message } from '../simulator/chat/chats.js';
import type { ClickResult } from '../simulator/chat/clicks.js';
import type { App, User } from '../simulator/directory.js';
import { type Simulator, type SimulatorOptions, startSimulator } from '../simulator/index.js';
import { type Daemon, type DaemonOptions, newDaemon } from './daemon.js';
import { newRedisServer, type RedisServer } from './redis-server.js';

export interface Scene {
  readonly sim: Simulator;
  readonly redis: RedisServer;
  readonly app: App;
  readonly user: User;
  /** The user's open_id in the app. */
  readonly openId: string;
  readonly daemon: Daemon;
  /** Another daemon (or the same one again) on this scene; closed with it. */
  another(env?: Readonly<Record<string, string>>): Promise<Daemon>;
  /** Uses this daemon from now on in the methods below. */
  use(daemon: Daemon): void;
  /** Asks by the API; resolves when the card is in the chat. */
  ask(body?: Readonly<Record<string, unknown>>): Promise<Asked>;
  click(messageId: string, action: string, sessionId: string, more?: object): Promise<ClickResult>;
  /** The user code of the newest link. */
  userCode(): string;
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
}

export async function newScene(t: Pick<TestContext, 'after'>, options: SceneOptions = {}): Promise<Scene> {
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) await next();
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
  const base: DaemonOptions = {
    redisUrl: redis.url,
    feishuUrl: sim.baseUrl,
    app,
    ...(options.env === undefined ? {} : { env: options.env }),
  };
  let daemon = await newDaemon(base);
  closers.push(() => daemon.close());
  const first = daemon;
  closers.push(() => first.close());
  await daemon.readiness(200);

  const scene: Scene = {
    sim,
    redis,
    app,
    user,
    openId,
    get daemon() {
      return daemon;
    },
    async another(env = {}) {
      const more = await newDaemon({ ...base, env: { ...base.env, ...env } });
      closers.push(() => more.close());
      return more;
    },
    use(other) {
      daemon = other;
      closers.push(() => other.close());
    },
    async ask(body = {}) {
      const answer = await daemon.call('POST', '/v1/sessions', { open_id: openId, ...body });
      if (answer.status >= 300) throw new Error(`asking was refused: ${answer.text}`);
      const sessionId = String(answer.body.session_id);
      const who = typeof body['open_id'] === 'string' ? body['open_id'] : openId;
      const message = await sim.until(() => sim.messagesTo(who).find((sent) => holds(sent, sessionId)), 10_000);
      return { sessionId, messageId: message.messageId, message };
    },
    click: (messageId, action, sessionId, more = {}) =>
      sim.click({ messageId, user, value: { action, session_id: sessionId }, ...more }),
    userCode() {
      const code = sim.deviceCodes().at(-1);
      if (code === undefined) throw new Error('no device code was made');
      return code.userCode;
    },
    async session(sessionId) {
      return (await daemon.call('GET', `/v1/sessions/${sessionId}`)).body;
    },
    async shows(messageId, text, timeoutMs = 10_000) {
      await sim.until(() => JSON.stringify(sim.message(messageId)?.content ?? '').includes(text), timeoutMs);
    },
    close,
  };
  return scene;
}

const holds = (message: Message, text: string): boolean => JSON.stringify(message.content).includes(text);
