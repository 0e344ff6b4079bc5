/**
 * Every variable there is, with its format, default and meaning (CONTRACT §2). The README's table is compared with
 * CONFIG_VARIABLES by a test. The same names in lower case are the keys of CONFIG_FILE.
 */
import { addressList, baseUrl, host, proxyUrl, redirectUri, redisUrl } from './addresses.js';
import {
  appId,
  boolean,
  decimal,
  type Format,
  integer,
  listOf,
  matching,
  oneOf,
  path,
  scopeList,
  secretWord,
  timezone,
} from './formats.js';
import { apiKeys, keyring } from './secrets.js';

/** `D`: the type of its default; null where there is none. */
export interface Variable<T, D extends T | null = T | null> {
  readonly format: Format<T>;
  readonly default: D;
  readonly doc: string;
  /** Never printed; may be given as a file by the name with `_FILE` at its end. */
  readonly secret: boolean;
  /** A secret only by the password in it: shown with that masked. */
  readonly url: boolean;
}

interface Nature {
  readonly secret?: boolean;
  readonly url?: boolean;
}

function withDefault<T>(format: Format<T>, defaultValue: NoInfer<T>, doc: string, nature?: Nature): Variable<T, T> {
  return { format, default: defaultValue, doc, secret: false, url: false, ...nature };
}

function optional<T>(format: Format<T>, doc: string, nature?: Nature): Variable<T, null> {
  return { format, default: null, doc, secret: false, url: false, ...nature };
}

const SECRET = { secret: true };
const SECRET_URL = { secret: true, url: true };
const DAY = 86_400;
const port = integer(0, 65_535, ' (0: a free one)');

export const BRAND = oneOf(['feishu', 'lark']);
export const AUTH_GRANT = oneOf(['device_code', 'authorization_code']);
export const CARD = oneOf(['card', 'link']);
export const CARD_CALLBACK = oneOf(['long_connection', 'http']);

export const VARIABLES = {
  FEISHU_APP_ID: optional(appId, 'the self-built app; required, unless CONFIG_FILE has `apps`'),
  FEISHU_APP_SECRET: optional(secretWord, 'its secret; required with FEISHU_APP_ID', SECRET),
  FEISHU_BRAND: withDefault(BRAND, 'feishu', 'which cloud the app lives in: `feishu` or `lark`; picks the hosts'),
  FEISHU_API_BASE_URL: optional(baseUrl, 'host of the APIs and the token endpoint; by brand'),
  FEISHU_ACCOUNTS_BASE_URL: optional(baseUrl, 'host of the consent page and device authorization; by brand'),
  FEISHU_APPLINK_BASE_URL: optional(baseUrl, 'host of links into the Feishu client; by brand'),
  AUTH_GRANT: withDefault(
    AUTH_GRANT,
    'device_code',
    'how users consent: `device_code`, or `authorization_code` (needs OAUTH_REDIRECT_URI)',
  ),
  AUTH_SCOPES: withDefault(
    scopeList,
    ['offline_access'],
    'default scopes, at most 50; `offline_access` is always added; a request with its own scopes replaces them',
  ),
  AUTH_SESSION_TTL: withDefault(integer(10, 604_800, ' seconds'), DAY, 'life of a session in seconds, 10 to 604800'),
  AUTH_SESSION_RETENTION_DAYS: withDefault(integer(1, 3650, ' days'), 30, 'ended sessions are deleted after this'),
  CARD: withDefault(
    CARD,
    'card',
    '`card`, or `link`: a plain message with the link where cards cannot be used (`authorization_code` only)',
  ),
  CARD_CALLBACK: withDefault(
    CARD_CALLBACK,
    'long_connection',
    'how clicks and events come: by the `long_connection`, or by `http` to the callback server',
  ),
  FEISHU_ENCRYPT_KEY: optional(secretWord, 'Encrypt Key of the console (加密策略); required for `http`', SECRET),
  FEISHU_VERIFICATION_TOKEN: optional(
    secretWord,
    'Verification Token of the console; when set, `http` callbacks are compared with it',
    SECRET,
  ),
  OAUTH_REDIRECT_URI: optional(redirectUri, 'for `authorization_code`, exactly as registered in the console'),
  CALLBACK_SERVER_ENABLED: withDefault(boolean, false, 'for `authorization_code` and CARD_CALLBACK=http'),
  CALLBACK_SERVER_HOST: withDefault(host, '0.0.0.0', 'address the callback server listens on'),
  CALLBACK_SERVER_PORT: withDefault(port, 8000, 'port the callback server listens on'),
  CALLBACK_SERVER_TRUSTED_PROXIES: withDefault(
    addressList,
    [],
    'reverse proxies whose X-Forwarded-For is believed; without it the header is ignored',
  ),
  HTTP_HOST: withDefault(host, '127.0.0.1', 'address of API, health and metrics; off loopback it wants TLS'),
  HTTP_PORT: withDefault(port, 9780, 'port of API, health and metrics; 0 takes a free one'),
  HTTP_TLS_CERT_FILE: optional(path, 'certificate chain, PEM'),
  HTTP_TLS_KEY_FILE: optional(path, 'its private key, PEM'),
  HTTP_ALLOW_PLAINTEXT: withDefault(boolean, false, 'allows HTTP_HOST off loopback without TLS (behind a proxy)'),
  METRICS_PORT: optional(port, 'separate port for metrics and health; without it the port of the API'),
  API_KEYS: optional(apiKeys, '`name:secret` pairs, comma-separated; such a client may do everything', SECRET),
  REDIS_URL: withDefault(redisUrl, 'redis://127.0.0.1:6379', '`redis://` or `rediss://`', SECRET_URL),
  REDIS_KEY_PREFIX: withDefault(
    matching(/^[A-Za-z0-9_.-]{1,64}$/, '1 to 64 characters of A-Z a-z 0-9 _ . -'),
    'authd',
    'every key starts with it',
  ),
  REDIS_ALLOW_EVICTION: withDefault(boolean, false, 'starts although Redis may throw keys away (maxmemory-policy)'),
  TOKEN_ENCRYPTION_KEYS: optional(
    keyring,
    'keyring, required: `id:base64 of 32 bytes`, comma-separated; the first seals, all open',
    SECRET,
  ),
  TOKEN_REFRESH_THRESHOLD: withDefault(decimal(0.01, 0.9), 0.1, 'refresh when this part of the life is left'),
  TOKEN_REFRESH_POLICY: withDefault(
    oneOf(['adaptive', 'always']),
    'adaptive',
    '`adaptive`: only used tokens are kept fresh, idle ones alive; `always`: all are kept fresh',
  ),
  GRANT_MAX_IDLE_DAYS: withDefault(integer(1, 3650, ' days'), 90, 'an unused grant is kept alive no longer'),
  STATE_DIR: withDefault(path, './state', 'encrypted spool for what Redis could not take; mode 0700'),
  WS_RECONNECT_BASE_MS: withDefault(integer(10, 60_000, ' milliseconds'), 1000, 'first wait of the backoff'),
  WS_RECONNECT_MAX_MS: withDefault(integer(10, 3_600_000, ' milliseconds'), 60_000, 'longest wait of the backoff'),
  WS_PONG_TIMEOUT: withDefault(integer(1, 300, ' seconds'), 20, 'an unanswered ping means a dead connection'),
  WS_ROTATE_AFTER: withDefault(
    integer(0, 604_800, ' seconds'),
    21_600,
    'a connection older than this (with jitter) is replaced; 0: never',
  ),
  CARD_LIMIT_PER_USER_PER_HOUR: withDefault(integer(1, 100_000), 20, 'more cards to one user get 429'),
  CARD_TIMEZONE: withDefault(timezone, 'Asia/Shanghai', 'for times on cards that Feishu does not localise'),
  ROLES: withDefault(
    listOf(['gateway', 'worker', 'api']),
    ['gateway', 'worker', 'api'],
    'which parts run in this process (`api` includes the callback server)',
  ),
  LOG_LEVEL: withDefault(oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace']), 'info', 'least level written'),
  LOG_FORMAT: withDefault(oneOf(['auto', 'json', 'pretty']), 'auto', '`json`, `pretty`, or `auto`: by terminal'),
  SHUTDOWN_TIMEOUT: withDefault(integer(1, 300, ' seconds'), 8, 'longest time to finish work in hand at a stop'),
  HTTPS_PROXY: optional(proxyUrl, 'proxy for https addresses of Feishu', SECRET_URL),
  HTTP_PROXY: optional(proxyUrl, 'proxy for http addresses of Feishu', SECRET_URL),
  NO_PROXY: optional(matching(/^[\x20-\x7E]{0,4096}$/, 'hosts, comma-separated'), 'hosts reached without proxy'),
} as const;

export type VariableName = keyof typeof VARIABLES;
type ValueOf<V> = V extends Variable<infer T, infer D> ? T | D : never;
export type Values = { readonly [N in VariableName]: ValueOf<(typeof VARIABLES)[N]> };

export const VARIABLE_NAMES = Object.keys(VARIABLES) as VariableName[];

/** A row of the README's table. */
export interface VariableRow {
  readonly name: string;
  /** As one would write it in the environment; empty when there is none. */
  readonly default: string;
  readonly doc: string;
  /** Range of a number, words of a list, form of a text. */
  readonly accepts: string;
}

/** What only CONFIG_FILE can hold, and its own name. */
export const FILE_ONLY: readonly VariableRow[] = [
  { name: 'apps', default: '', doc: 'file only: several apps instead of FEISHU_APP_ID', accepts: 'a list of objects' },
  { name: 'clients', default: '', doc: 'file only: clients with limits', accepts: 'a list of objects' },
];

export const CONFIG_VARIABLES: readonly VariableRow[] = [
  {
    name: 'CONFIG_FILE',
    default: '',
    doc: 'JSON file with the same names in lower case; the environment goes first',
    accepts: 'a path',
  },
  ...VARIABLE_NAMES.map((name) => ({
    name,
    default: VARIABLES[name].default === null ? '' : String(VARIABLES[name].default),
    doc: VARIABLES[name].doc,
    accepts: VARIABLES[name].format.accepts,
  })),
  ...FILE_ONLY,
];
