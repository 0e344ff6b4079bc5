/** What comes back to us by HTTP: the callback server, the redirect URI of the code grant, callbacks of apps without a long connection. */
import type { AppConfig, Config } from '../config/config.js';
import { askOnce } from './ask-once.js';
import { CALLBACK_PATH, localAddress } from './callback-addresses.js';
import { checkCallbackServer } from './checks/callback-server.js';
import { type CardCallbackCheck, checkCardCallback } from './checks/card-callback.js';
import { checkRedirectReach } from './checks/redirect-reach.js';
import { checkRedirectUri } from './checks/redirect-uri.js';
import type { Finding } from './finding.js';

export interface CallbackChecks {
  readonly config: Config;
  /** Those that are looked at. */
  readonly apps: readonly AppConfig[];
  /** A daemon of this machine answers on its API. */
  readonly daemonRuns: boolean;
  readonly timeoutMs: number;
}

/** Nothing where no app needs it. */
export async function checkCallbacks({
  apps,
  config,
  daemonRuns,
  timeoutMs,
}: CallbackChecks): Promise<readonly Finding[]> {
  const byHttp = apps.filter(({ cardCallback }) => cardCallback === 'http');
  const byCode = apps.some(({ authGrant }) => authGrant === 'authorization_code');
  if (byHttp.length === 0 && !byCode) return [];
  const { callbackServer, oauthRedirectUri, proxy, roles } = config;
  const isHere = callbackServer.enabled && roles.includes('api');
  const address = localAddress(config);
  const uri = byCode ? oauthRedirectUri : null;
  // Nothing of it is opened or shown then.
  const holdsPassword = uri !== null && /^[^/]*\/\/[^/?#]*@/.test(uri);
  const [reply, browserReply] = await Promise.all([
    isHere && address !== null ? askOnce({ url: address + CALLBACK_PATH, timeoutMs, anyCertificate: true }) : null,
    uri === null || holdsPassword ? null : askOnce({ url: uri, timeoutMs }),
  ]);
  const hasProxy = proxy.httpsProxy !== null || proxy.httpProxy !== null;
  const { finding, local } = checkCallbackServer({ address, isHere, reply, daemonRuns });
  const redirect =
    uri === null
      ? []
      : [
          ...checkRedirectUri({ uri, config }),
          ...(browserReply === null ? [] : [checkRedirectReach({ uri, reply: browserReply, local, hasProxy })]),
        ];
  const ask: CardCallbackCheck['ask'] = (question) => askOnce({ ...question, timeoutMs });
  const callbacks = await Promise.all(
    byHttp.map((app) => checkCardCallback({ app, localAddress: address, oauthRedirectUri, local, ask })),
  );
  return [finding, ...redirect, ...callbacks];
}
