/**
 * The demo's Feishu: the simulator with the demo's people and the company service beside it, as a process of its own.
 * Says its address over the channel to the demo. When that channel breaks the demo is gone without having stopped its
 * parts (kill -9): then the parts it named are ended here, and its folder removed.
 */
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSimulator } from '../index.js';
import { DaemonApi } from './daemon-api.js';
import { APP_NAME, CLIENT, PEOPLE, SCOPES } from './scene.js';
import { serviceRoutes } from './service-routes.js';

/** DEMO_SIMULATOR, as JSON. */
export interface SimulatorSetup {
  readonly app: { readonly appId: string; readonly appSecret: string };
  readonly port: number;
  readonly daemonUrl: string;
  readonly clientSecret: string;
  /** Of the authorization code grant. */
  readonly redirectUri: string | null;
}

/** What the demo says once its other parts run. */
export interface Orphans {
  readonly pids: readonly number[];
  readonly folder: string;
}

const ORPHAN_GRACE_MS = 3000;

async function main(): Promise<void> {
  const setup = JSON.parse(process.env['DEMO_SIMULATOR'] ?? '{}') as SimulatorSetup;
  const openIds = new Map<string, string>();
  const scopeWords: unknown = JSON.parse(
    await readFile(new URL('../../../cards/scopes.json', import.meta.url), 'utf8'),
  );
  const simulator = await startSimulator({
    port: setup.port,
    routes: serviceRoutes({
      daemon: new DaemonApi({ baseUrl: setup.daemonUrl, secret: setup.clientSecret }),
      client: CLIENT,
      scopes: SCOPES,
      scopeWords: scopeWords as Record<string, unknown>,
      openIdOf: (userId) => openIds.get(userId),
    }),
  });
  const redirectUris = setup.redirectUri === null ? [] : [setup.redirectUri];
  const app = simulator.addApp({ ...setup.app, name: APP_NAME, redirectUris });
  for (const person of PEOPLE) {
    openIds.set(person.userId, simulator.openId(simulator.addUser(person), app.appId));
  }

  let orphans: Orphans = { pids: [], folder: '' };
  process.on('message', (message) => {
    orphans = message as Orphans;
  });
  process.once('disconnect', () => void endOrphans(orphans).finally(() => process.exit(1)));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void simulator.close().finally(() => process.exit(0)));
  }
  process.send?.({ url: simulator.baseUrl, openIds: Object.fromEntries(openIds) });
}

async function endOrphans({ pids, folder }: Orphans): Promise<void> {
  for (const pid of pids) signalTo(pid, 'SIGTERM');
  await sleep(ORPHAN_GRACE_MS);
  for (const pid of pids) signalTo(pid, 'SIGKILL');
  if (folder !== '') await rm(folder, { recursive: true, force: true });
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

await main();
