/**
 * The points of a refresh, in the order of the engine (src/flow/refresh.ts): between every two of its steps one, at which
 * the victim is held. What is held is the wire to Redis, Feishu, or the process itself.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { reserveScript } from '../../src/store/scripts/budget.js';
import { beginRefreshScript, commitRefreshScript } from '../../src/store/scripts/refreshing.js';
import { callsOf, type Hold } from '../support/redis-wire.js';
import { eventually } from '../support/steps.js';
import type { World } from './world.js';

/** The victim stands at the point; `release` lets it go on. */
export interface Standing {
  release(): void;
}

export interface Point {
  readonly name: string;
  /** For the head of a column. */
  readonly short: string;
  /** How far the refresh token has come. */
  readonly stage: 'unsent' | 'sent' | 'redeemed' | 'spooled' | 'stored';
  /** The other side, Redis or Feishu, has done its part: the victim only has not heard of it. */
  readonly isActed: boolean;
  /** Prepares the hold, before the refresh begins; `reached` resolves when the victim stands there. */
  arm(world: World): Promise<{ readonly reached: Promise<Standing> }>;
}

const REACH_MS = 20_000;
const ARRIVAL_MS = 100;
const REFRESH = { on: 'api', api: 'token', grant: 'refresh_token', times: 1 } as const;

/** Before the script runs. */
async function beforeCommand(world: World, hold: Hold): Promise<Standing> {
  await hold.met;
  await world.beforeStep();
  return hold;
}

/** The script has run, as `isDone` sees in Redis; its reply waits. */
async function afterCommand(world: World, hold: Hold, isDone: () => Promise<boolean>): Promise<Standing> {
  await beforeCommand(world, hold);
  hold.forward();
  await eventually(isDone);
  return hold;
}

const stateKey = ({ scene }: World): string => `authd:{${scene.app.appId}}:grant:${scene.openId}:state`;
const shareKey = ({ scene }: World): string => `authd:{${scene.app.appId}}:budget:log:oauth.token:share:refresh`;

async function atFeishu(world: World, when: 'before' | 'after'): Promise<{ readonly reached: Promise<Standing> }> {
  const { sim } = world.scene;
  const hold = sim.faults.add({ ...REFRESH, kind: 'hold', when });
  const held = sim.waitFor('call.held', REACH_MS);
  const reach = async (): Promise<Standing> => {
    await held;
    await world.beforeStep();
    return { release: () => hold.clear() };
  };
  return { reached: reach() };
}

const beforeLease: Point = {
  name: 'before the lease',
  short: 'no lease',
  stage: 'unsent',
  isActed: false,
  async arm(world) {
    const hold = world.wire.hold(await callsOf(beginRefreshScript, world.redis.client));
    return { reached: beforeCommand(world, hold) };
  },
};

const leaseWritten: Point = {
  name: 'lease and intent written, the reply of Redis not seen',
  short: 'lease',
  stage: 'unsent',
  isActed: true,
  async arm(world) {
    const { client } = world.redis;
    const hold = world.wire.hold(await callsOf(beginRefreshScript, client));
    return { reached: afterCommand(world, hold, async () => (await client.hexists(stateKey(world), 'lease')) === 1) };
  },
};

const turnTaken: Point = {
  name: 'turn in the budget taken, nothing sent',
  short: 'turn',
  stage: 'unsent',
  isActed: true,
  async arm(world) {
    const { client } = world.redis;
    const key = shareKey(world);
    const isRefresh = (command: readonly Buffer[]): boolean => command.some((part) => part.toString() === key);
    const hold = world.wire.hold(await callsOf(reserveScript, client, isRefresh));
    return { reached: afterCommand(world, hold, async () => (await client.llen(key)) > 0) };
  },
};

const requestWritten: Point = {
  name: 'request written, Feishu has not acted',
  short: 'sent',
  stage: 'sent',
  isActed: false,
  arm: async (world) => await atFeishu(world, 'before'),
};

const tokenRedeemed: Point = {
  name: 'Feishu has consumed the token, the answer is not sent',
  short: 'consumed',
  stage: 'redeemed',
  isActed: true,
  arm: async (world) => await atFeishu(world, 'after'),
};

const answered: Point = {
  name: 'the answer has reached our machine, nothing is written',
  short: 'answered',
  stage: 'redeemed',
  isActed: true,
  async arm(world) {
    const { reached } = await atFeishu(world, 'after');
    const { sim } = world.scene;
    const reach = async (): Promise<Standing> => {
      const standing = await reached;
      const { victim } = world;
      // Frozen, it cannot read what lies in its socket.
      victim.signal('SIGSTOP');
      world.sleeps(victim);
      const ended = sim.waitFor(({ type, data }) => type === 'call' && data['grant'] === 'refresh_token');
      standing.release();
      await ended;
      // Written by Feishu; a relay may still have to pass it on.
      await sleep(ARRIVAL_MS);
      return {
        release() {
          victim.signal('SIGCONT');
          world.wakes(victim);
        },
      };
    };
    return { reached: reach() };
  },
};

const spooled: Point = {
  name: 'spool written, the store not',
  short: 'spooled',
  stage: 'spooled',
  isActed: false,
  async arm(world) {
    const hold = world.wire.hold(await callsOf(commitRefreshScript, world.redis.client));
    const reach = async (): Promise<Standing> => {
      const standing = await beforeCommand(world, hold);
      const files = await readdir(join(world.victim.stateDir, 'spool'));
      if (files.length !== 1) throw new Error(`the spool holds ${files.length} files`);
      return standing;
    };
    return { reached: reach() };
  },
};

const stored: Point = {
  name: 'store written, the reply not seen',
  short: 'stored',
  stage: 'stored',
  isActed: true,
  async arm(world) {
    const before = await world.generation();
    const hold = world.wire.hold(await callsOf(commitRefreshScript, world.redis.client));
    return { reached: afterCommand(world, hold, async () => (await world.generation()) > before) };
  },
};

const committed: Point = {
  name: 'after the commit, the spool entry still held',
  short: 'committed',
  stage: 'stored',
  isActed: true,
  async arm(world) {
    const before = await world.generation();
    const hold = world.wire.hold(await callsOf(commitRefreshScript, world.redis.client));
    const reach = async (): Promise<Standing> => {
      const standing = await beforeCommand(world, hold);
      standing.release();
      await eventually(async () => (await world.generation()) > before);
      const answer = await world.first;
      if (answer !== undefined && answer.status !== 200) throw new Error(`the read was answered: ${answer.text}`);
      return { release: () => undefined };
    };
    return { reached: reach() };
  },
};

export const POINTS: readonly Point[] = [
  beforeLease,
  leaseWritten,
  turnTaken,
  requestWritten,
  tokenRedeemed,
  answered,
  spooled,
  stored,
  committed,
];
