/**
 * The ways in which a daemon can get a consent and receive clicks. Whole-daemon tests run by the default one; with
 * E2E_GRANT and E2E_CLICKS the same tests run by another (`npm run ways`).
 */
import type { AuthGrant, CardCallback, CardKind } from '../../src/config/config.js';
import type { App } from '../simulator/directory.js';
import type { Simulator } from '../simulator/index.js';
import type { Daemon } from './daemon.js';
import { newTcpRelay, type TcpRelay } from './tcp-relay.js';

export interface Way {
  readonly grant: AuthGrant;
  readonly clicks: CardCallback;
  /** How users are asked; by a card when left out. */
  readonly card?: CardKind;
}

export const WAYS: readonly Way[] = [
  { grant: 'device_code', clicks: 'long_connection' },
  { grant: 'authorization_code', clicks: 'long_connection' },
  { grant: 'device_code', clicks: 'http' },
  { grant: 'authorization_code', clicks: 'http' },
];

/** Default of every scene. */
export const WAY: Way = {
  grant: process.env['E2E_GRANT'] === 'authorization_code' ? 'authorization_code' : 'device_code',
  clicks: process.env['E2E_CLICKS'] === 'http' ? 'http' : 'long_connection',
};

/** What Feishu and the users' browsers reach of a daemon: an address that stays while daemons come and go. */
export interface Entrance {
  readonly way: Way;
  /** Settings of the daemons behind it. */
  readonly env: Readonly<Record<string, string>>;
  readonly relay: TcpRelay;
  readonly redirectUri: string;
  /** Leads to this daemon from now on. */
  leadTo(daemon: Daemon): Promise<void>;
}

/** `apps`: all that the daemons behind it serve. */
export async function newEntrance(
  way: Way,
  apps: readonly App[],
  { redirectPath = '/callback', sim }: { readonly redirectPath?: string | undefined; readonly sim: Simulator },
): Promise<Entrance | null> {
  if (way.grant === 'device_code' && way.clicks === 'long_connection') return null;
  const relay = await newTcpRelay();
  const origin = `http://127.0.0.1:${relay.port}`;
  const redirectUri = `${origin}${redirectPath}`;
  const encryptKey = 'encrypt-key-of-the-test';
  const byHttp = way.clicks === 'http';
  const verificationToken = 'verification-token-of-the-test';
  for (const { appId } of apps) {
    const url = `${origin}/callback/cards/${appId}`;
    sim.changeApp(appId, {
      redirectUris: [redirectUri],
      ...(byHttp && { callbackUrl: url, eventUrl: url, encryptKey, verificationToken }),
    });
  }
  return {
    way,
    relay,
    redirectUri,
    env: {
      CALLBACK_SERVER_ENABLED: 'true',
      CALLBACK_SERVER_HOST: '127.0.0.1',
      CALLBACK_SERVER_PORT: '0',
      ...(way.grant === 'authorization_code' && { AUTH_GRANT: 'authorization_code', OAUTH_REDIRECT_URI: redirectUri }),
      ...(way.card !== undefined && { CARD: way.card }),
      ...(byHttp && {
        CARD_CALLBACK: 'http',
        FEISHU_ENCRYPT_KEY: encryptKey,
        FEISHU_VERIFICATION_TOKEN: verificationToken,
      }),
    },
    async leadTo(daemon) {
      const listening = await daemon.line('http.listening', ({ server }) => server === 'callback');
      relay.target(Number(listening['port']));
    },
  };
}
