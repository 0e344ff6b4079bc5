/** Everything that is asked of Feishu for one app: what does not need another answer first runs side by side. */
import { pino } from 'pino';
import type { AppConfig, Config } from '../config/config.js';
import type { FeishuExchange } from '../domain/feishu-exchange.js';
import { probeHost } from '../feishu/host-probe.js';
import { readAppScopes } from '../feishu/open-api/app-scopes.js';
import { createTenantCall } from '../feishu/open-api/tenant-call.js';
import { createTenantToken, type TenantToken } from '../feishu/open-api/tenant-token.js';
import { checkBrand } from './checks/brand.js';
import { checkCredentials } from './checks/credentials.js';
import { checkDeviceAuthorization, deviceGrantUnused } from './checks/device-authorization.js';
import type { Hosts } from './checks/hosts.js';
import { checkLongConnection } from './checks/long-connection.js';
import { checkScopes, wantedScopes } from './checks/scopes.js';
import { setupFinding } from './checks/setup.js';
import { type CheckName, type Finding, skip, text } from './finding.js';
import { guarded, type Progress } from './guard.js';
import type { Explain } from './meanings.js';

export interface AppChecksDeps {
  readonly config: Config;
  readonly hosts: Hosts;
  readonly exchange: FeishuExchange;
  readonly explain: Explain;
  readonly progress: Progress;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly timeoutMs: number;
}

const BY_OPEN_HOST: readonly CheckName[] = ['credentials', 'brand', 'long_connection', 'user_scopes'];

export async function checkApp(app: AppConfig, deps: AppChecksDeps): Promise<readonly Finding[]> {
  const [byOpen, byAccounts] = await Promise.all([
    whenReachable(app, app.openBaseUrl, BY_OPEN_HOST, deps, () => checkOpenPlatform(app, deps)),
    app.authGrant === 'authorization_code'
      ? [deviceGrantUnused(app)]
      : whenReachable(app, app.accountsBaseUrl, ['device_authorization'], deps, () => checkConsent(app, deps)),
  ]);
  return [setupFinding(app), ...byOpen, ...byAccounts];
}

async function whenReachable(
  app: AppConfig,
  url: string,
  checks: readonly CheckName[],
  { hosts }: AppChecksDeps,
  work: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  if (await hosts.isReachable(url)) return await work();
  const means = text(`Not checked: ${url} cannot be reached`, `没有检查：${url} 无法访问`);
  return checks.map((check) => skip(check, means, null, { appId: app.appId }));
}

async function checkOpenPlatform(app: AppConfig, deps: AppChecksDeps): Promise<readonly Finding[]> {
  const { config, explain, progress, timeoutMs } = deps;
  const tenantToken = tenantTokenOf(app, deps);
  const asked = Promise.all([
    checkCredentials({ app, tenantToken, explain }),
    checkLongConnection({
      app,
      proxy: config.proxy,
      oauthRedirectUri: config.oauthRedirectUri,
      probe: (url) => probeHost(url, config.proxy, timeoutMs),
      explain,
      timeoutMs,
    }),
  ]);
  const basics = guarded('credentials', progress, async () => {
    const [credentials, longConnection] = await asked;
    const accepts = (openBaseUrl: string): Promise<boolean> =>
      tenantTokenOf({ ...app, openBaseUrl }, deps)
        .get()
        .then(
          () => true,
          () => false,
        );
    const verdict = credentials.verdict;
    const brand = await checkBrand({ app, credentials: verdict, longConnection: longConnection.failure, accepts });
    return [credentials.finding, brand, longConnection.finding];
  });
  const scopes = guarded('user_scopes', progress, async () => {
    const [{ verdict }] = await asked;
    const { appId } = app;
    if (verdict !== 'accepted') {
      const means = text('Not checked: it needs accepted credentials', '没有检查：需要先有可用的凭证');
      return [skip('user_scopes', means, null, { appId })];
    }
    const tenantCall = createTenantCall(deps.exchange, tenantToken);
    const read = () => readAppScopes({ app, tenantCall, timeoutMs });
    return await checkScopes({ appId, wanted: wantedScopes(app, config.clients), read, explain });
  });
  return (await Promise.all([basics, scopes])).flat();
}

const checkConsent = (app: AppConfig, deps: AppChecksDeps): Promise<readonly Finding[]> =>
  guarded('device_authorization', deps.progress, async () => {
    const { config, exchange, explain, timeoutMs } = deps;
    const { oauthRedirectUri } = config;
    const wanted = wantedScopes(app, config.clients);
    return [await checkDeviceAuthorization({ app, wanted, exchange, explain, timeoutMs, oauthRedirectUri })];
  });

function tenantTokenOf(app: AppConfig, { exchange, now, timeoutMs }: AppChecksDeps): TenantToken {
  return createTenantToken({ app, exchange, logger: pino({ level: 'silent' }), clock: now, timeoutMs });
}
