/**
 * The faults of the matrix that are Feishu's: answers lost, late and wrong. At the points before the request they meet
 * the request to come; at the two points of Feishu they are what it does there; after its answer they meet the next
 * refresh, which a client asks for at once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault as SimulatorFault } from '../simulator/fault-kinds.js';
import type { FaultHandle } from '../simulator/faults.js';
import type { Answer } from '../support/daemon.js';
import type { Trouble } from '../support/steps.js';
import type { Fault } from './faults.js';
import type { Point, Standing } from './points.js';
import type { World } from './world.js';

interface FeishuFault {
  readonly name: string;
  readonly trouble: Trouble;
  /** Whether Feishu has consumed the token when it happens; null: where the point says so. */
  readonly consumed: boolean | null;
}

const REFRESH = { on: 'api', api: 'token', grant: 'refresh_token' } as const;
const OUTAGE_MS = 2_000;
const NOTICE_MS = 100;
const MEET_MS = 20_000;

/** Asks for another refresh. */
const refresh = (world: World): Promise<Answer> =>
  world.victim.call('POST', `/v1/users/${world.scene.openId}/token/refresh`, {});

const fired = (world: World, handle: FaultHandle): Promise<true> =>
  world.scene.sim.until(() => (handle.fired > 0 ? (true as const) : false), MEET_MS, 'the fault to fire');

function feishuFault({ consumed, name, trouble }: FeishuFault): Fault {
  const isConsumed = (point: Point): boolean => consumed ?? point.short === 'consumed';
  return {
    name,
    world: { trigger: 'read' },
    isSlow: trouble.kind === 'hang',
    expected(point) {
      if (consumed === false && point.short === 'consumed') return '(Feishu has consumed the token already)';
      return isConsumed(point) ? 'asked' : 'kept';
    },
    async prepare(world, point) {
      const add = (): FaultHandle => {
        const when = isConsumed(point) ? 'after' : 'before';
        return world.scene.sim.faults.add({ ...REFRESH, ...trouble, when } as SimulatorFault);
      };
      const isAtFeishu = point.short === 'sent' || point.short === 'consumed';
      const there = isAtFeishu ? add() : null;
      const strike = async (standing: Standing): Promise<void> => {
        const handle = there ?? add();
        standing.release();
        await world.first;
        if (handle.fired === 0) await Promise.all([refresh(world), fired(world, handle)]);
        handle.clear();
        world.read();
      };
      if (there === null) return { strike };
      return { reached: fired(world, there).then(() => ({ release: () => undefined })), strike };
    },
  };
}

/** Nobody listens where Feishu's hosts were: what is open is reset, nothing new can be opened. */
const unreachable: Fault = {
  name: 'the network to Feishu is gone for 2 s',
  world: { trigger: 'read', relayed: true },
  expected: ({ short }) => (short === 'consumed' ? 'asked' : 'kept'),
  prepare: async (world, point) => ({
    async strike(standing) {
      world.feishu.mode('refuse');
      world.feishu.cut();
      // Feishu sees that, too.
      await sleep(NOTICE_MS);
      // What had not been acted on never is.
      if (point.short !== 'sent') standing.release();
      world.read();
      await world.first;
      await refresh(world);
      await sleep(OUTAGE_MS);
      world.feishu.mode('pass');
    },
  }),
};

const code = (number: number, about: string): FeishuFault => ({
  name: `Feishu answers ${number}${about}`,
  trouble: { kind: 'code', code: number },
  consumed: null,
});

export const FEISHU_FAULTS: readonly Fault[] = [
  ...(
    [
      { name: 'the answer is lost, not consumed', trouble: { kind: 'reset', times: 1 }, consumed: false },
      { name: 'the answer is lost, consumed', trouble: { kind: 'reset', times: 1 }, consumed: true },
      { name: 'never answered, not consumed', trouble: { kind: 'hang', times: 1 }, consumed: false },
      { name: 'never answered, consumed', trouble: { kind: 'hang', times: 1 }, consumed: true },
      code(20050, ''),
      code(20072, ''),
      { name: 'Feishu answers 429', trouble: { kind: 'code', code: 99991400 }, consumed: null },
      { name: 'Feishu answers 500', trouble: { kind: 'status', status: 500, body: 'oops' }, consumed: null },
      { name: 'Feishu answers 502 HTML', trouble: { kind: 'html', status: 502 }, consumed: null },
      code(20002, ' (secret)'),
      code(20010, ' (availability)'),
    ] as const satisfies readonly FeishuFault[]
  ).map(feishuFault),
  unreachable,
];
