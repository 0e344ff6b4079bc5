/**
 * The faults of the matrix: what strikes while the victim stands at a point of its refresh, and what may become of the
 * grant. Those of Feishu itself are in feishu-faults.ts.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { newRedisServer } from '../support/redis-server.js';
import { FEISHU_FAULTS } from './feishu-faults.js';
import type { Point, Standing } from './points.js';
import { storyOf } from './story.js';
import type { World, WorldOptions } from './world.js';

/** `kept`: a token can be read in the end; `asked`: Feishu has consumed the token and nobody holds its successor. */
export type Outcome = 'kept' | 'asked';

export interface Fault {
  readonly name: string;
  readonly world: WorldOptions;
  /** What must become of the grant; a text in brackets says why there is nothing to try. */
  expected(point: Point): Outcome | `(${string})`;
  /** Before the refresh begins. */
  prepare(world: World, point: Point): Promise<Strike>;
  /** The process that has sent the token is gone or silent: it has not told anybody what came of it. */
  readonly silences?: boolean;
  /** Leases, or long silences, must end first. */
  readonly isSlow?: boolean;
}

export interface Strike {
  /** In place of the point's own hold. */
  readonly reached?: Promise<Standing>;
  /** Resolves when the fault is over. */
  strike(standing: Standing): Promise<void>;
}

const SHUTDOWN_MS = 8_000;
/** Beyond what the daemon promises: the machine is busy. */
const SLACK_MS = 1_000;
/** How long Redis is in trouble. */
const TROUBLE_MS = 3_000;
/** A lease lasts 15 s; whoever takes over waits 15 s for the successor before it gives the grant up. */
const FROZEN_MS = 20_000;

/** The other daemon could hand over what the victim has spooled. */
const beside = { trigger: 'read', other: 'beside' } as const;
/** Nobody but the victim has it. */
const apart = { trigger: 'read', other: 'apart' } as const;

const kept = (): Outcome => 'kept';
const lostInProcess = ({ stage }: Point): Outcome => (stage === 'redeemed' ? 'asked' : 'kept');
/** What was sent and not acted on dies with the connection: Feishu never acts on it. */
const letGo = (standing: Standing, point: Point): void => {
  if (point.isActed) standing.release();
};

async function kill(world: World): Promise<void> {
  const { victim } = world;
  world.ends(victim);
  victim.signal('SIGKILL');
  await victim.exited();
}

const killed: Fault = {
  name: 'kill -9, restart',
  world: { trigger: 'read' },
  silences: true,
  isSlow: true,
  expected: lostInProcess,
  prepare: async (world, point) => ({
    async strike(standing) {
      await kill(world);
      letGo(standing, point);
      await world.restartVictim();
      world.read();
    },
  }),
};

/** By the schedule, and no client reads: what happens happens by itself. */
const killedInFleet: Fault = {
  name: 'kill -9, another daemon lives',
  world: { trigger: 'schedule', other: 'apart' },
  silences: true,
  isSlow: true,
  expected: lostInProcess,
  async prepare(world, point) {
    // The victim is to be the one that refreshes.
    world.other?.signal('SIGSTOP');
    return {
      async strike(standing) {
        await kill(world);
        letGo(standing, point);
        world.other?.signal('SIGCONT');
        await sleep(5_000);
        await world.restartVictim();
      },
    };
  },
};

/** In time, and with the exit code that says how it went. */
async function stop(world: World, codes: readonly number[], meanwhile: () => Promise<void>): Promise<void> {
  const { victim } = world;
  const since = performance.now();
  world.ends(victim);
  victim.signal('SIGTERM');
  await meanwhile();
  const code = await victim.exited(SHUTDOWN_MS + 5_000);
  const ms = Math.round(performance.now() - since);
  assert.ok(code !== null && codes.includes(code), `exit code ${code} after ${ms} ms: ${storyOf(victim)}`);
  assert.ok(ms <= SHUTDOWN_MS + SLACK_MS, `the stop took ${ms} ms`);
}

const stopped: Fault = {
  name: 'SIGTERM, restart',
  world: { trigger: 'read' },
  expected: kept,
  prepare: async (world) => ({
    async strike(standing) {
      await stop(world, [0], async () => {
        await sleep(500);
        standing.release();
      });
      await world.restartVictim();
      world.read();
    },
  }),
};

/** What the victim waits for never comes: it ends in time all the same. */
const stoppedInSilence: Fault = {
  name: 'SIGTERM amid silence, restart',
  world: { trigger: 'read' },
  silences: true,
  isSlow: true,
  expected: ({ short }) => (short === 'consumed' ? 'asked' : 'kept'),
  prepare: async (world, point) => ({
    async strike(standing) {
      await stop(world, [0, 1], async () => {
        // Frozen, it does not hear the signal; and behind the commit there is nothing to wait for.
        if (point.short === 'answered' || point.short === 'committed') standing.release();
      });
      await world.restartVictim();
      world.read();
    },
  }),
};

const frozen: Fault = {
  name: 'frozen past its lease, another goes on',
  world: apart,
  silences: true,
  isSlow: true,
  expected: kept,
  prepare: async (world, point) => ({
    async strike(standing) {
      const { victim } = world;
      victim.signal('SIGSTOP');
      world.sleeps(victim);
      // What was done already is answered while nobody listens.
      const isEarly = point.isActed && point.short !== 'answered';
      if (isEarly) standing.release();
      world.read();
      const until = performance.now() + FROZEN_MS;
      const isDone = (): boolean => world.readings.at(-1)?.answer.status === 200;
      while (performance.now() < until && !isDone()) await sleep(100);
      if (!isEarly) standing.release();
      victim.signal('SIGCONT');
      world.wakes(victim);
    },
  }),
};

const redisKilled: Fault = {
  name: 'Redis is killed and comes back',
  world: beside,
  isSlow: true,
  expected: kept,
  prepare: async (world) => ({
    async strike(standing) {
      world.read();
      await world.redis.kill();
      standing.release();
      await sleep(1_000);
      await world.redis.start();
    },
  }),
};

const refuses = (name: string, setting: string, from: string, to: string): Fault => ({
  name,
  world: beside,
  expected: kept,
  prepare: async (world) => ({
    async strike(standing) {
      const { client } = world.redis;
      await client.config('SET', setting, to);
      world.read();
      standing.release();
      await sleep(TROUBLE_MS);
      await client.config('SET', setting, from);
    },
  }),
});

const redisFrozen: Fault = {
  name: 'Redis freezes for 3 s',
  world: beside,
  expected: kept,
  prepare: async (world) => ({
    async strike(standing) {
      world.redis.freeze();
      world.read();
      standing.release();
      await sleep(TROUBLE_MS);
      world.redis.thaw();
    },
  }),
};

/** Everything this refresh has written to Redis is gone. */
const lastSecondLost: Fault = {
  name: 'Redis comes back without its last second',
  world: apart,
  isSlow: true,
  expected: kept,
  async prepare(world) {
    const from = await world.redis.snapshot();
    return {
      async strike(standing) {
        world.read();
        await world.redis.kill();
        standing.release();
        await world.redis.start({ from });
      },
    };
  },
};

/** The replica has all but the newest write. */
const failedOver: Fault = {
  name: 'Redis fails over to a replica that lags',
  world: apart,
  isSlow: true,
  expected: kept,
  async prepare(world) {
    let from: string | undefined;
    world.beforeStep = async () => {
      from = await world.redis.snapshot();
    };
    return {
      async strike(standing) {
        const replica = await newRedisServer(['--appendfsync', 'everysec'], from);
        world.after(() => replica.close());
        world.read();
        await world.redis.kill();
        world.moveTo(replica);
        standing.release();
      },
    };
  },
};

export const FAULTS: readonly Fault[] = [
  killed,
  killedInFleet,
  stopped,
  stoppedInSilence,
  frozen,
  redisKilled,
  refuses('Redis refuses writes for 3 s (OOM)', 'maxmemory', '0', '1'),
  refuses('Redis refuses writes for 3 s (NOREPLICAS)', 'min-replicas-to-write', '0', '1'),
  redisFrozen,
  lastSecondLost,
  failedOver,
  ...FEISHU_FAULTS,
];
