/**
 * What the proof happens on: Feishu in a box, a Redis, and the processes of a small installation (a gateway with the
 * API, a second gateway, a worker), each on a port of its own that it keeps over restarts, as Prometheus knows it.
 */
import { randomBytes } from 'node:crypto';
import { freePort } from '../../simulator/demo/free-port.js';
import type { Daemon } from '../../support/daemon.js';
import { newScene, type Scene } from '../../support/scene.js';

export interface Stage {
  /** Its daemon is the gateway with the API. */
  readonly scene: Scene;
  readonly spare: Daemon;
  /** The long connection of `spare`, as the simulator names it. */
  readonly spareConnectionId: string;
  readonly targets: readonly string[];
  /** Starts it again (it is stopped first when it runs) and waits until it is ready. */
  restart(part: Part, env?: Readonly<Record<string, string>>): Promise<void>;
  stop(part: Part, signal?: NodeJS.Signals): Promise<void>;
  /** The ring that all processes have, with a new key in front. */
  readonly newRing: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export type Part = 'gateway' | 'spare' | 'worker';

/** Short waits, so that a healed fault is soon over; the rest as shipped. */
const QUICK = { WS_RECONNECT_MAX_MS: '2000', LOG_LEVEL: 'info' };

export async function newStage(): Promise<Stage> {
  const ports = { gateway: await freePort(), spare: await freePort(), worker: await freePort() };
  const env = (part: Part, roles: string) => ({ ...QUICK, ROLES: roles, HTTP_PORT: String(ports[part]) });
  // The scene is closed below, not by a test that ends.
  const scene = await newScene({ after: () => undefined }, { env: env('gateway', 'gateway,api') });
  const close = async (): Promise<void> => {
    for (const one of Object.values(parts)) await one.close();
    await scene.close();
  };
  const parts: Partial<Record<Part, Daemon>> = {};
  const part = (name: 'spare' | 'worker'): Daemon => {
    const daemon = parts[name];
    if (daemon === undefined) throw new Error(`${name} was not started`);
    return daemon;
  };
  const running = (name: Part): Daemon => (name === 'gateway' ? scene.daemon : part(name));
  const stop = async (name: Part, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    running(name).signal(signal);
    await running(name).exited(30_000);
  };
  try {
    parts.worker = await scene.another(env('worker', 'worker'));
    const before = new Set(scene.sim.sockets(scene.app.appId).map(({ id }) => id));
    parts.spare = await scene.another(env('spare', 'gateway'));
    await parts.spare.readiness(200, 60_000);
    const spareConnection = scene.sim.sockets(scene.app.appId).find(({ id }) => !before.has(id));
    const sealing = `k1:${scene.daemon.encryptionKey}`;
    return {
      scene,
      get spare() {
        return part('spare');
      },
      spareConnectionId: spareConnection?.id ?? '',
      targets: Object.values(ports).map((port) => `127.0.0.1:${port}`),
      newRing: { TOKEN_ENCRYPTION_KEYS: `k2:${randomBytes(32).toString('base64')},${sealing}` },
      stop,
      async restart(name, more = {}) {
        await stop(name);
        const daemon = await running(name).restart(more);
        if (name === 'gateway') await scene.use(daemon);
        else parts[name] = daemon;
        await daemon.readiness(200, 60_000);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
