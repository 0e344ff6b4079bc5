/** Daemons that are told to stop: how they end, and that nothing is lost when they could not finish. */
import assert from 'node:assert/strict';
import { clickOf } from './acks.js';
import { crowd } from './crowd.js';
import type { Daemon } from './daemon.js';
import { authorizeByCard } from './person.js';
import type { Scene } from './scene.js';

const SHUTDOWN_SECONDS = 4;
/** Settings of a daemon that waits no longer than needed. */
export const QUICK_STOP = { SHUTDOWN_TIMEOUT: String(SHUTDOWN_SECONDS) };

/** The exit code, and how long it took. */
export async function stop(
  daemon: Daemon,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<{ code: number | null; ms: number }> {
  const started = performance.now();
  daemon.signal(signal);
  const code = await daemon.exited(SHUTDOWN_SECONDS * 1000 + 10_000);
  return { code, ms: performance.now() - started };
}

/**
 * SIGTERM with a click in hand that cannot be finished: `before` the click Feishu, `during` it Redis may be made
 * unable. Exit 1 in time; both people are authorized by the next process when all is well again.
 */
export async function stopInTheMiddle(
  scene: Scene,
  { before, during }: { before: () => void; during: () => void },
): Promise<void> {
  const [first, second] = await crowd(scene, 2);
  assert.ok(first && second);
  before();
  assert.equal((await clickOf(scene, first, 'authorize')).errorCode, undefined);
  const inHand = clickOf(scene, second, 'authorize');
  during();
  const { code, ms } = await stop(scene.daemon);
  assert.equal((await inHand).errorCode, undefined);
  assert.equal(code, 1);
  assert.ok(ms < SHUTDOWN_SECONDS * 1000 + 4_000, `${ms} ms`);
  assert.equal(scene.daemon.lines.at(-1)?.event, 'daemon.stopped');
  scene.redis.thaw();
  scene.sim.faults.clear();
  await scene.use(await scene.daemon.restart());
  await scene.daemon.readiness(200);
  await Promise.all(
    [first, second].map(({ messageId, user }) => authorizeByCard({ ...scene, user }, messageId, { timeoutMs: 60_000 })),
  );
}
