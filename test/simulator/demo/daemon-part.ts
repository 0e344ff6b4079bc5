/**
 * The built daemon as the demo runs it: configured by its environment and one small file, as an operator would. Owns
 * the values of this run (keys, secrets), nothing of the daemon's behaviour.
 */
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Part } from './part.js';
import { CLIENT, SCOPES } from './scene.js';
import { waitFor } from './wait.js';

export interface DaemonOptions {
  /** Root of the repository: dist/main.js is under it. */
  readonly root: string;
  readonly folder: string;
  readonly port: number;
  readonly app: { readonly appId: string; readonly appSecret: string };
  readonly feishuUrl: string;
  readonly redisUrl: string;
  readonly keyPrefix: string;
  /** The client's secret. */
  readonly clientSecret: string;
  /** Where browsers come back to, by the authorization code grant. */
  readonly callback: { readonly port: number; readonly redirectUri: string } | null;
}

const READY_MS = 30_000;
const REQUEST_MS = 3000;

export async function startDaemon(options: DaemonOptions): Promise<Part> {
  const configFile = join(options.folder, 'config.json');
  await writeFile(configFile, JSON.stringify(fileConfig(options), null, 2), { mode: 0o600 });
  return new Part({
    name: 'the daemon',
    command: process.execPath,
    args: ['dist/main.js', 'start'],
    cwd: options.root,
    // Nothing else of the caller's environment: a FEISHU_… or a proxy of theirs is not meant for the demo.
    env: {
      PATH: process.env['PATH'],
      TMPDIR: process.env['TMPDIR'],
      TEST_RUN_ID: process.env['TEST_RUN_ID'],
      CONFIG_FILE: configFile,
      FEISHU_APP_ID: options.app.appId,
      FEISHU_APP_SECRET: options.app.appSecret,
      FEISHU_API_BASE_URL: options.feishuUrl,
      FEISHU_ACCOUNTS_BASE_URL: options.feishuUrl,
      FEISHU_APPLINK_BASE_URL: options.feishuUrl,
      HTTP_PORT: String(options.port),
      REDIS_URL: options.redisUrl,
      REDIS_KEY_PREFIX: options.keyPrefix,
      TOKEN_ENCRYPTION_KEYS: `demo:${randomBytes(32).toString('base64')}`,
      STATE_DIR: join(options.folder, 'state'),
      LOG_FORMAT: 'pretty',
      ...callbackSettings(options),
    },
  });
}

function callbackSettings({ callback }: DaemonOptions): Record<string, string> {
  if (callback === null) return {};
  return {
    AUTH_GRANT: 'authorization_code',
    OAUTH_REDIRECT_URI: callback.redirectUri,
    CALLBACK_SERVER_ENABLED: 'true',
    CALLBACK_SERVER_HOST: '127.0.0.1',
    CALLBACK_SERVER_PORT: String(callback.port),
  };
}

function fileConfig(options: DaemonOptions): Record<string, unknown> {
  return {
    clients: [
      {
        id: CLIENT.id,
        display_name: CLIENT.displayName,
        secret_sha256: [createHash('sha256').update(options.clientSecret).digest('hex')],
        apps: [options.app.appId],
        scopes: ['offline_access', ...SCOPES.map((scope) => scope.name)],
        actions: ['ask', 'status', 'token', 'revoke'],
      },
    ],
  };
}

/** Resolves once /readyz says 200. */
export async function daemonReady(baseUrl: string, signal: AbortSignal): Promise<void> {
  const ask = async (): Promise<true | undefined> => {
    const answer = await fetch(`${baseUrl}/readyz`, { signal: AbortSignal.timeout(REQUEST_MS) });
    return answer.ok ? true : undefined;
  };
  await waitFor(ask, { what: 'the daemon to be ready (/readyz)', timeoutMs: READY_MS, signal });
}
