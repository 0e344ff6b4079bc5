/** Where the callback server is: on this machine, and as browsers and Feishu reach it. Pure. */
import { callableHost } from '../config/addresses.js';
import type { Config } from '../config/config.js';
import { cardCallbackPath } from '../domain/http-callback.js';
import { type Text, text } from './finding.js';

/** What the server serves whatever the redirect URI is. */
export const CALLBACK_PATH = '/callback';

/** For a call from this machine; null: only the daemon knows its port. */
export function localAddress({ callbackServer, http }: Pick<Config, 'callbackServer' | 'http'>): string | null {
  const { host, port } = callbackServer;
  if (port === 0) return null;
  return `${http.tls === null ? 'http' : 'https'}://${callableHost(host)}:${port}`;
}

/** Where clicks and events of an app are to be sent, as far as the configuration tells. */
export interface CardCallbackAddress {
  /** null: only the operator knows the name that Feishu reaches this server by. */
  readonly url: string | null;
  /** To be pasted into the console. */
  readonly shown: Text;
}

export function cardCallbackAddress({ oauthRedirectUri }: Pick<Config, 'oauthRedirectUri'>, appId: string) {
  const path = cardCallbackPath(appId);
  const address = (url: string | null, shown: Text): CardCallbackAddress => ({ url, shown });
  if (oauthRedirectUri === null) {
    return address(null, text(`https://<callback server>${path}`, `https://<回调服务器>${path}`));
  }
  const url = `${new URL(oauthRedirectUri).origin}${path}`;
  return address(url, text(url, url));
}
