/** Asks many users by the API, as a service would, at the pace the API allows one client (1,200 calls in 10 s). */
import type { App, User } from '../simulator/directory.js';
import type { Simulator } from '../simulator/simulator.js';
import type { BenchDaemon } from './daemon-process.js';
import { atRate } from './pace.js';

const CALLS_PER_SECOND = 100;

/** The session ids, one per user and app: the first user in all apps, then the next. */
export async function askAll(
  daemon: BenchDaemon,
  sim: Simulator,
  apps: readonly App[],
  users: readonly User[],
): Promise<string[]> {
  const pairs = users.flatMap((user) => apps.map(({ appId }) => ({ app_id: appId, open_id: sim.openId(user, appId) })));
  return await atRate(CALLS_PER_SECOND, pairs.length, async (i) =>
    String((await daemon.call('POST', '/v1/sessions', pairs[i]))['session_id']),
  );
}

/** What `read` finds in the answer to one call per session id. */
export async function lookAtAll<T>(
  daemon: BenchDaemon,
  sessionIds: readonly string[],
  read: (session: Readonly<Record<string, unknown>>) => T,
): Promise<T[]> {
  return await atRate(CALLS_PER_SECOND, sessionIds.length, async (i) =>
    read(await daemon.call('GET', `/v1/sessions/${sessionIds[i]}`)),
  );
}
