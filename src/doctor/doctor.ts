/**
 * All checks of `feishu-authd doctor`, composed: what needs an earlier answer waits for it, everything else runs side by
 * side, and the lines come in the order of the report. Changes nothing anywhere, spends no refresh token; asks Feishu for
 * a handful of answers an app. A real round trip with a user is round-trip.ts.
 */
import type { Dispatcher } from 'undici';
import { isLoopback } from '../config/addresses.js';
import type { AppConfig, Config } from '../config/config.js';
import { probeHost } from '../feishu/host-probe.js';
import { createDirectExchange } from '../feishu/open-api/direct-exchange.js';
import { createDispatcher } from '../feishu/proxy.js';
import { connectOnce } from '../store/connect-once.js';
import { storeKeys } from '../store/keys.js';
import { checkApp } from './app-checks.js';
import { checkCallbacks } from './callback-checks.js';
import type { ConfigurationResult } from './checks/configuration.js';
import { checkDaemon, isDaemon } from './checks/daemon.js';
import { checkEncryptionKeys } from './checks/encryption-keys.js';
import { createHosts, type Hosts } from './checks/hosts.js';
import { checkRedis } from './checks/redis.js';
import { checkStateDir } from './checks/state-dir.js';
import { consoleFindings } from './console.js';
import { byHttpCallbacks } from './fallbacks.js';
import { fetchText } from './fetch-text.js';
import { type Finding, skip, type Text, text } from './finding.js';
import { guarded, type Progress } from './guard.js';
import type { Explain } from './meanings.js';

export interface DoctorDeps {
  /** The first check, made by whoever needs the configuration as well. */
  readonly configuration: ConfigurationResult;
  readonly explain: Explain;
  readonly progress: Progress;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Of the running daemon's API. */
  readonly daemonUrl: string;
  /** A user will be asked afterwards. */
  readonly roundTrip: boolean;
  /** Only this app; null: all. */
  readonly appId: string | null;
}

/** For one answer of Feishu or the daemon. The daemon itself is more patient. */
const NETWORK_MS = 5_000;
/** A Redis that needs longer than this is of no use to the daemon. */
const REDIS_MS = 3_000;

/** Never rejects for what it finds. */
export async function examine(deps: DoctorDeps): Promise<readonly Finding[]> {
  const { findings, loaded } = deps.configuration;
  const readyz = fetchText(`${deps.daemonUrl}/readyz`, NETWORK_MS);
  const daemon = guarded('daemon', deps.progress, async () => {
    const instead = (appId: string): Text | null =>
      loaded === null || !loaded.config.apps.some((app) => app.appId === appId)
        ? null
        : byHttpCallbacks(loaded.config, appId);
    return [checkDaemon({ url: deps.daemonUrl, readyz: await readyz, needed: deps.roundTrip, instead })];
  });
  if (loaded === null) {
    const means = text('Nothing else is checked before the configuration is right', '配置改正之前不做其他检查');
    return [...findings, skip('configuration', means), ...(await daemon)];
  }
  const { config } = loaded;
  const apps = config.apps.filter(({ appId }) => deps.appId === null || appId === deps.appId);
  const groups = await Promise.all([
    guarded('redis', deps.progress, () => lookAtRedis(config, deps.now)),
    guarded('state_dir', deps.progress, () => checkStateDir(config.stateDir)),
    lookAtFeishu(config, apps, deps),
    guarded('callback_server', deps.progress, async () => {
      const daemonRuns = isLoopback(new URL(deps.daemonUrl).hostname) && isDaemon(await readyz);
      return await checkCallbacks({ config, apps, daemonRuns, timeoutMs: NETWORK_MS });
    }),
    consoleFindings({ roundTrip: deps.roundTrip, apps, oauthRedirectUri: config.oauthRedirectUri }),
    daemon,
  ]);
  return [...findings, ...groups.flat()];
}

async function lookAtRedis({ encryptionKeys, redis }: Config, now: () => number): Promise<readonly Finding[]> {
  const contact = await connectOnce(redis.url, REDIS_MS);
  try {
    const findings = await checkRedis({ redis, contact, now });
    if (!contact.ok) {
      const means = text('Not checked: Redis cannot be reached', '没有检查：Redis 无法访问');
      return [...findings, skip('encryption_keys', means)];
    }
    const keys = storeKeys(redis.keyPrefix);
    return [...findings, ...(await checkEncryptionKeys({ redis: contact.redis, keys, ring: encryptionKeys }))];
  } finally {
    if (contact.ok) contact.redis.disconnect();
  }
}

async function lookAtFeishu(
  config: Config,
  apps: readonly AppConfig[],
  { explain, now, progress }: DoctorDeps,
): Promise<readonly Finding[]> {
  const pools = new Map<string, Dispatcher>();
  const dispatcherFor = (url: string): Dispatcher => {
    const { origin } = new URL(url);
    const pool = pools.get(origin) ?? createDispatcher(url, config.proxy, { connect: { timeout: NETWORK_MS } });
    pools.set(origin, pool);
    return pool;
  };
  const exchange = createDirectExchange({ dispatcherFor, clock: now });
  const hosts: Hosts = createHosts(apps, (url) => probeHost(url, config.proxy, NETWORK_MS));
  const app = { config, hosts, exchange, explain, progress, now, timeoutMs: NETWORK_MS };
  try {
    const [byHost, ...byApp] = await Promise.all([
      guarded('host.open', progress, () => hosts.findings()),
      ...apps.map((each) => checkApp(each, app)),
    ]);
    return [...byHost, ...byApp.flat()];
  } finally {
    for (const pool of pools.values()) pool.destroy().catch(() => undefined);
  }
}
