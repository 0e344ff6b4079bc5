/** What every benchmark with a daemon needs: a Redis, Feishu in a box (in this process), its apps and their users. */

import type { App, User } from '../simulator/directory.js';
import { type Simulator, type SimulatorOptions, startSimulator } from '../simulator/index.js';
import { newRedisServer, type RedisServer } from '../support/redis-server.js';
import type { BenchContext } from './benchmark.js';

export interface BenchScene {
  readonly sim: Simulator;
  readonly redis: RedisServer;
  readonly apps: readonly App[];
  readonly users: readonly User[];
}

export interface BenchSceneOptions {
  readonly apps: number;
  readonly users: number;
  readonly simulator?: SimulatorOptions;
}

/** What our papers recommend for production; the test suite's own `always` would measure the disk. */
const REDIS_ARGS = ['--appendfsync', 'everysec'];

export async function newBenchScene(context: BenchContext, options: BenchSceneOptions): Promise<BenchScene> {
  const redis = await newRedisServer(REDIS_ARGS);
  context.after(() => redis.close());
  const sim = await startSimulator(options.simulator);
  context.after(() => sim.close());
  const apps = Array.from({ length: options.apps }, (_, i) =>
    sim.addApp({ appId: `cli_${String(i + 1).padStart(16, '0')}`, name: `Bench ${i + 1}` }),
  );
  const users = Array.from({ length: options.users }, (_, i) =>
    sim.addUser({ name: `User ${i + 1}`, locale: 'en_us' }),
  );
  return { sim, redis, apps, users };
}
