/** Everything that speaks to Feishu over HTTP, built in one place, and the names that cards show. */
import type { Logger } from 'pino';
import type { Dispatcher } from 'undici';
import type { AppConfig, Config, LocalizedText } from '../config/config.js';
import type { CallBudget } from '../domain/call-budget.js';
import type { Metrics } from '../domain/metrics.js';
import type { RedirectNames } from '../domain/redirect.js';
import type { Session } from '../domain/session.js';
import { type CardRenderer, createCardRenderer } from '../feishu/cards/card-renderer.js';
import type { CardSet } from '../feishu/cards/card-set.js';
import { createHttpExchange } from '../feishu/open-api/http-exchange.js';
import { createOpenApi, type OpenApi } from '../feishu/open-api/open-api.js';
import { createDispatcher } from '../feishu/proxy.js';
import { type AuthorizationServer, createAuthorizationServer } from '../oauth/authorization-server.js';
import { type ConsentLinks, createConsentLinks } from '../oauth/consent-links.js';
import { createRevocation, type Revocation } from '../oauth/revocation.js';
import { createTokenEndpoint, type TokenEndpoint } from '../oauth/token-endpoint.js';

/** Enough for all workers of a process at once. */
const POOL = { connections: 128, connect: { timeout: 5_000 } };

export interface FeishuParts {
  readonly app: (appId: string) => AppConfig | undefined;
  readonly openApi: (appId: string) => OpenApi | undefined;
  readonly authorizationServer: AuthorizationServer;
  readonly tokenEndpoint: TokenEndpoint;
  /** Of the authorization code grant. */
  readonly links: ConsentLinks;
  readonly revocation: Revocation;
  readonly renderer: CardRenderer;
  /** As cards and pages show them. */
  readonly names: (clientId: string, appId: string) => RedirectNames;
  /** Asks Feishu for the names of the apps that are not known yet; cards show the app id until then. */
  readonly learnNames: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface FeishuDeps {
  readonly config: Config;
  readonly cards: CardSet;
  readonly budget: CallBudget;
  readonly metrics: Pick<Metrics, 'feishuCalled'>;
  readonly logger: Logger;
  readonly clock: () => number;
  readonly random: () => number;
}

export function buildFeishu(deps: FeishuDeps): FeishuParts {
  const { budget, clock, config, logger, metrics, random } = deps;
  const apps = new Map(config.apps.map((app) => [app.appId, app]));
  const dispatchers = new Map<string, Dispatcher>();
  const dispatcherFor = (url: string): Dispatcher => {
    const { origin } = new URL(url);
    const dispatcher = dispatchers.get(origin) ?? createDispatcher(url, config.proxy, POOL);
    dispatchers.set(origin, dispatcher);
    return dispatcher;
  };
  const exchange = createHttpExchange({ dispatcherFor, budget, metrics, logger, random, clock });
  const openApis = new Map(
    config.apps.map((app) => [app.appId, createOpenApi({ app, exchange, logger, clock })] as const),
  );
  const names = new Map<string, string>();
  const appName = (appId: string): string => names.get(appId) ?? appId;
  const clients = new Map(config.clients.map((client) => [client.id, client]));
  const clientName = (clientId: string, appId: string): LocalizedText =>
    clients.get(clientId)?.displayName ?? { zh_cn: appName(appId), en_us: appName(appId) };
  const links = createConsentLinks({ keys: config.encryptionKeys, redirectUri: config.oauthRedirectUri ?? '' });
  const authorizeUrl = (session: Session): string | null => {
    const app = apps.get(session.appId);
    return app?.authGrant === 'authorization_code' ? links.urlFor(session, app) : null;
  };

  return {
    app: (appId) => apps.get(appId),
    openApi: (appId) => openApis.get(appId),
    authorizationServer: createAuthorizationServer({ exchange }),
    tokenEndpoint: createTokenEndpoint({ exchange }),
    links,
    revocation: createRevocation({ exchange }),
    renderer: createCardRenderer({
      cards: deps.cards,
      timezone: config.cards.timezone,
      clientName,
      appName,
      applinkBaseUrl: (appId) => apps.get(appId)?.applinkBaseUrl ?? '',
      authorizeUrl,
    }),
    names: (clientId, appId) => ({ client: clientName(clientId, appId), app: appName(appId) }),
    async learnNames() {
      await Promise.all(
        [...openApis].map(async ([appId, openApi]) => {
          if (names.has(appId)) return;
          const name = await openApi.appName();
          if (name !== null) names.set(appId, name);
        }),
      );
    },
    async close() {
      await Promise.all([...dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
    },
  };
}
