/**
 * The configuration as it may be shown: masked settings with their origin, a fingerprint to compare starts with
 * (FAILURES G-environment-kept-on-restart), and the list of what a log must never contain.
 */
import { createHash } from 'node:crypto';
import { maskUrl, passwordsIn } from './addresses.js';
import type { AppConfig, Config } from './config.js';
import type { RawValue } from './sources.js';
import { VARIABLE_NAMES, VARIABLES, type Values, type VariableName } from './variables.js';

export interface Setting {
  readonly name: VariableName;
  /** Secrets as `***`, passwords in URLs likewise. */
  readonly value: string;
  /** `default`, or the name it was set by: `HTTP_PORT`, `API_KEYS_FILE`, `http_port in CONFIG_FILE`. */
  readonly from: string;
  readonly source: 'default' | RawValue['source'];
}

export function describeSettings(values: Values, raw: ReadonlyMap<VariableName, RawValue>): readonly Setting[] {
  return VARIABLE_NAMES.map((name) => ({
    name,
    value: shown(name, values),
    from: raw.get(name)?.from ?? 'default',
    source: raw.get(name)?.source ?? 'default',
  }));
}

function shown(name: VariableName, values: Values): string {
  const value = values[name];
  if (value === null) return '';
  const { secret, url } = VARIABLES[name];
  if (url) return maskUrl(String(value));
  return secret ? '***' : String(value);
}

/** The settings that are not defaults, for one log line: `HTTP_PORT=9000 (http_port in CONFIG_FILE)`. */
export function effectiveConfig(settings: readonly Setting[]): readonly string[] {
  const changed = settings.filter(({ from }) => from !== 'default');
  return changed.map(({ name, value, from }) => (from === name ? `${name}=${value}` : `${name}=${value} (${from})`));
}

/** The whole configuration as `config print` shows it: no secret in it, names as in CONFIG_FILE. */
export interface ConfigView {
  readonly settings: readonly Setting[];
  readonly apps: readonly AppView[];
  readonly clients: readonly ClientView[];
}

interface AppView {
  readonly app_id: string;
  readonly brand: string;
  readonly api_base_url: string;
  readonly accounts_base_url: string;
  readonly applink_base_url: string;
  readonly auth_grant: string;
  readonly auth_scopes: readonly string[];
  readonly card: string;
  readonly card_callback: string;
}

interface ClientView {
  readonly id: string;
  /** How many are accepted. */
  readonly secrets: number;
  readonly actions: readonly string[];
  /** null: all. */
  readonly apps: readonly string[] | null;
  /** null: all. */
  readonly scopes: readonly string[] | null;
}

export const describeConfig = (loaded: {
  readonly config: Config;
  readonly settings: readonly Setting[];
}): ConfigView => ({
  settings: loaded.settings,
  apps: loaded.config.apps.map((app) => ({
    app_id: app.appId,
    brand: app.brand,
    api_base_url: app.openBaseUrl,
    accounts_base_url: app.accountsBaseUrl,
    applink_base_url: app.applinkBaseUrl,
    auth_grant: app.authGrant,
    auth_scopes: app.authScopes,
    card: app.card,
    card_callback: app.cardCallback,
  })),
  clients: loaded.config.clients.map(({ actions, apps, id, scopes, secretSha256 }) => ({
    id,
    secrets: secretSha256.length,
    actions,
    apps,
    scopes,
  })),
});

/**
 * 12 hexadecimal digits that change when a setting does. Secrets do not enter it (a digest of a weak one could be
 * guessed); their ids do.
 */
export function configFingerprint(config: Config): string {
  const open = {
    ...config,
    apps: config.apps.map(({ appSecret: _secret, encryptKey: _key, verificationToken: _token, ...app }) => app),
    clients: config.clients.map(({ secretSha256, ...client }) => ({ ...client, secrets: secretSha256.length })),
    encryptionKeys: config.encryptionKeys.map(({ id }) => id),
    redis: { ...config.redis, url: maskUrl(config.redis.url) },
    proxy: {
      ...config.proxy,
      httpsProxy: config.proxy.httpsProxy === null ? null : maskUrl(config.proxy.httpsProxy),
      httpProxy: config.proxy.httpProxy === null ? null : maskUrl(config.proxy.httpProxy),
    },
  };
  return createHash('sha256').update(JSON.stringify(open)).digest('hex').slice(0, 12);
}

/** Every secret in each form in which it may turn up. */
export function secretsOf(values: Values, apps: readonly AppConfig[]): readonly string[] {
  return [
    ...apps.flatMap(({ appSecret, encryptKey, verificationToken }) =>
      [appSecret, encryptKey, verificationToken].filter((secret) => secret !== null),
    ),
    ...(values.API_KEYS ?? []).map(({ secret }) => secret),
    ...(values.TOKEN_ENCRYPTION_KEYS ?? []).flatMap(({ key }) => [key.toString('base64'), key.toString('hex')]),
    ...[values.REDIS_URL, values.HTTPS_PROXY, values.HTTP_PROXY].flatMap(passwordsIn),
  ];
}
