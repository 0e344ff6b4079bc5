/**
 * Where one cell of the matrix happens: Feishu, a Redis, a user who has authorized and whose access token has ended, the
 * daemon that will refresh it (the victim) and, where the fault needs one, another daemon of the fleet. Owns what it
 * opens and the clients that read tokens all the time; knows neither points nor faults.
 */

import { freePort } from '../simulator/demo/free-port.js';
import type { Answer, Daemon } from '../support/daemon.js';
import { grant } from '../support/grants.js';
import type { RedisServer } from '../support/redis-server.js';
import { newRedisWire, type RedisWire } from '../support/redis-wire.js';
import { newScene, type Scene } from '../support/scene.js';
import { newTcpRelay, type TcpRelay } from '../support/tcp-relay.js';

export interface WorldOptions {
  /**
   * Another daemon beside the victim: `apart` with a STATE_DIR of its own, `beside` with the victim's (one host).
   */
  readonly other?: 'apart' | 'beside';
  /** What sets the refresh off: a client that reads a token, or the schedule, and no client ever reads. */
  readonly trigger: 'read' | 'schedule';
  /** The victim reaches Feishu through a relay. */
  readonly relayed?: boolean;
}

/** One answer a reader got. */
export interface Reading {
  readonly daemon: Daemon;
  readonly ms: number;
  readonly answer: Answer;
}

export interface World {
  readonly scene: Scene;
  readonly wire: RedisWire;
  readonly feishu: TcpRelay;
  readonly victim: Daemon;
  readonly other: Daemon | null;
  /** Redis as it is now; a failover replaces it. */
  readonly redis: RedisServer;
  /** The first refresh: begun by `begin`; undefined once the daemon that was asked has died over it. */
  readonly first: Promise<Answer | undefined>;
  /** Everything readers were told, in order. */
  readonly readings: readonly Reading[];
  begin(): void;
  /** Starts it anew after its end. */
  restartVictim(): Promise<void>;
  /** Points all daemons to another Redis. */
  moveTo(redis: RedisServer): void;
  /** Of the daemons that live. */
  readonly stateDirs: readonly string[];
  /** Daemons that can answer: no frozen and no dead one. */
  readonly awake: ReadonlySet<Daemon>;
  sleeps(daemon: Daemon): void;
  wakes(daemon: Daemon): void;
  /** It was told to end, or killed: it will not wake again. */
  ends(daemon: Daemon): void;
  /** From now on clients read tokens of every daemon that is awake. */
  read(): void;
  /** Nobody reads: what becomes of the grant must be seen without setting a refresh off. */
  readonly isUnread: boolean;
  /** Generation of the stored grant; 0: Redis does not tell now. */
  generation(): Promise<number>;
  /** Of the consent. */
  readonly firstGeneration: number;
  /** Set by a fault: called right before the refresh's next mark on Redis. */
  beforeStep: () => Promise<void>;
  /** Waits until the victim's token is so old that a read refreshes it. */
  ripe(): Promise<void>;
  /** Closes what a point or fault has opened when the world ends. */
  after(close: () => Promise<void>): void;
}

/** A client that is told to wait asks again sooner than it should. */
const READ_EVERY_MS = 300;
/** The access token of the consent is of no use after half a second. */
const LIFE_SECONDS = 1;

export async function newWorld(options: WorldOptions, after: (close: () => Promise<void>) => void): Promise<World> {
  const [wire, otherWire, feishu] = await Promise.all([newRedisWire(), newRedisWire(), newTcpRelay()]);
  after(async () => {
    await Promise.all([wire.close(), otherWire.close(), feishu.close()]);
  });
  const port = await freePort();
  feishu.target(port);
  const scene = await newScene(
    { after: (close) => after(close as () => Promise<void>) },
    {
      redisArgs: ['--appendfsync', 'everysec'],
      simulator: { port },
      env: {
        REDIS_URL: wire.url,
        ...(options.relayed === true && { FEISHU_API_BASE_URL: `http://127.0.0.1:${feishu.port}` }),
      },
      beforeStart(redis) {
        wire.target(redis.port);
        otherWire.target(redis.port);
      },
    },
  );
  const awake = new Set<Daemon>();
  const over = new Set<Daemon>();
  const readings: Reading[] = [];
  let victim = scene.daemon;
  awake.add(victim);
  let other: Daemon | null = null;
  if (options.other !== undefined) {
    const state: Record<string, string> = options.other === 'beside' ? { STATE_DIR: victim.stateDir } : {};
    other = await scene.another({ REDIS_URL: otherWire.url, ...state });
    await other.readiness(200);
    awake.add(other);
  }
  const bySchedule = options.trigger === 'schedule';
  // What keeps an idle grant alive is due when half of the refresh token's life is over.
  await grant(scene, bySchedule ? { set: { refresh_token_expires_in: 10 } } : { expiresIn: LIFE_SECONDS });
  const grantedAt = performance.now();
  let redis = scene.redis;
  let first: Promise<Answer | undefined> = Promise.resolve(undefined);
  let closed = false;
  after(async () => {
    closed = true;
  });

  const readFrom = async (daemon: Daemon): Promise<void> => {
    while (!closed && awake.has(daemon)) {
      const since = performance.now();
      const answer = await daemon.call('GET', `/v1/users/${scene.openId}/token`).catch(() => null);
      if (answer !== null) readings.push({ daemon, ms: performance.now() - since, answer });
      await new Promise((resolve) => setTimeout(resolve, READ_EVERY_MS));
    }
  };
  let isRead = false;

  const generation = async (): Promise<number> => {
    const key = `authd:{${scene.app.appId}}:grant:${scene.openId}`;
    const head = await redis.client.getrange(key, 0, 20).catch(() => '');
    return Number(/^\d+(?=:)/.exec(head)?.[0] ?? 0);
  };

  const world: World = {
    scene,
    generation,
    firstGeneration: await generation(),
    isUnread: bySchedule,
    wire,
    feishu,
    awake,
    readings,
    after,
    beforeStep: () => Promise.resolve(),
    get victim() {
      return victim;
    },
    get other() {
      return other;
    },
    get redis() {
      return redis;
    },
    get stateDirs() {
      return options.other === 'apart' && other !== null ? [victim.stateDir, other.stateDir] : [victim.stateDir];
    },
    get first() {
      return first;
    },
    begin() {
      if (bySchedule) return;
      first = victim.call('GET', `/v1/users/${scene.openId}/token`).catch(() => undefined);
    },
    async restartVictim() {
      const again = await victim.restart();
      await scene.use(again);
      victim = again;
      world.wakes(again);
    },
    moveTo(next) {
      redis = next;
      for (const each of [wire, otherWire]) {
        each.target(next.port);
        each.cut();
      }
    },
    sleeps: (daemon) => void awake.delete(daemon),
    ends(daemon) {
      awake.delete(daemon);
      over.add(daemon);
    },
    wakes(daemon) {
      if (over.has(daemon)) return;
      awake.add(daemon);
      if (isRead) void readFrom(daemon);
    },
    read() {
      if (isRead) return;
      isRead = true;
      for (const daemon of awake) void readFrom(daemon);
    },
    async ripe() {
      const left = grantedAt + LIFE_SECONDS * 600 - performance.now();
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, left)));
    },
  };
  return world;
}
