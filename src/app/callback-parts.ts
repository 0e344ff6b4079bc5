/** The callback server, when this process has one: where it listens, and the words its pages share with the cards. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import type { Metrics } from '../domain/metrics.js';
import type { ReceiveRedirect } from '../domain/redirect.js';
import type { CardSet } from '../feishu/cards/card-set.js';
import { type CallbackLimits, DEFAULT_CALLBACK_LIMITS, type PageWords } from '../http/callback/ports.js';
import { buildCallbackServer } from '../http/callback/server.js';
import type { ConsentLinks } from '../oauth/consent-links.js';
import type { ServerAt } from './http-parts.js';

export interface CallbackPartsDeps {
  readonly config: Pick<Config, 'callbackServer' | 'http' | 'oauthRedirectUri' | 'roles' | 'shutdownTimeoutSeconds'>;
  readonly cards: Pick<CardSet, 'failures' | 'scopes'>;
  readonly receiveRedirect: ReceiveRedirect;
  readonly links: Pick<ConsentLinks, 'open'>;
  readonly metrics: Pick<Metrics, 'httpAnswered'>;
  readonly logger: Logger;
  /** More routes on the same server, in an instance of their own. */
  readonly routes?: (app: FastifyInstance) => void;
}

/** Where nginx sends what it gets, unless it keeps the path that users see. */
const CALLBACK_PATH = '/callback';

/** None, or one. For `listen` with the host of `config.callbackServer`. */
export async function buildCallback(deps: CallbackPartsDeps): Promise<ServerAt[]> {
  const { config, links, logger, metrics, receiveRedirect, routes } = deps;
  const { enabled, port, trustedProxies } = config.callbackServer;
  if (!enabled || !config.roles.includes('api')) return [];
  const paths = redirectPaths(config.oauthRedirectUri);
  const server = await buildCallbackServer({
    receiveRedirect,
    sessionOf: (state) => links.open(state)?.sessionId ?? null,
    redirectPaths: paths,
    trustedProxies,
    tls: config.http.tls,
    words: pageWords(deps.cards),
    metrics,
    logger,
    limits: limitsWithin(config.shutdownTimeoutSeconds * 1000),
    ...(routes === undefined ? {} : { routes }),
  });
  return [{ name: 'callback', port, server, paths }];
}

/** A daemon that is told to stop quickly does not wait for the outcomes of pages as long as others. */
const limitsWithin = (shutdownMs: number): CallbackLimits => ({
  ...DEFAULT_CALLBACK_LIMITS,
  // The closing step has a quarter of the time (app.ts); half of that is for the answers to get out.
  closeGraceMs: Math.min(DEFAULT_CALLBACK_LIMITS.closeGraceMs, shutdownMs / 8),
});

function redirectPaths(redirectUri: string | null): string[] {
  const registered = redirectUri === null ? CALLBACK_PATH : new URL(redirectUri).pathname;
  return [...new Set([CALLBACK_PATH, registered])];
}

export function pageWords({ failures, scopes }: CallbackPartsDeps['cards']): PageWords {
  return {
    scope: (scope) => scopes.get(scope) ?? { zh_cn: scope, en_us: scope },
    failure: (reason, code) => (code === undefined ? undefined : failures.codes.get(code)) ?? failures.reasons[reason],
    code: (code) => failures.codes.get(code)?.happened ?? null,
    contact: (who) => failures.contacts[who],
  };
}
