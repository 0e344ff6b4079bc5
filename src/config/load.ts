/**
 * Loads the configuration: environment, CONFIG_FILE and secret files in, a checked and frozen `Config` out. Judges
 * everything before it complains, so that one start shows all mistakes. Opens nothing but the files it is told.
 */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { readApps } from './apps.js';
import { readClients } from './clients.js';
import type { Config, ProxyConfig, TlsConfig } from './config.js';
import { readConfigFile } from './config-file.js';
import { deepFreeze } from './deep-freeze.js';
import { describeSettings, type Setting, secretsOf } from './effective.js';
import { createFindings, type Findings, throwIfAny } from './problems.js';
import { applyRules } from './rules.js';
import { withDefaults } from './schema.js';
import { type Environment, gatherRawValues, type RawValue, type ReadFile } from './sources.js';
import { warnUnknownVariables } from './unknown-variables.js';
import { VARIABLES, type Values, type VariableName } from './variables.js';

export interface ConfigSources {
  readonly env: Environment;
  /** Default: from disk. */
  readonly readFile?: ReadFile;
}

export interface LoadedConfig {
  /** Deep-frozen. */
  readonly config: Config;
  /** Sentences worth a line at start; hold nothing secret. */
  readonly warnings: readonly string[];
  /** Every variable with its masked value and where it came from. */
  readonly settings: readonly Setting[];
  /** Every secret that was configured, in each form it may be written: for the log's scrubber only. */
  readonly secrets: readonly string[];
}

/** More than any configuration needs; guards against a path to a device or a log file. */
const MAX_FILE_BYTES = 1_048_576;

export const readFileFromDisk: ReadFile = (path) => {
  const { mode, size } = statSync(path);
  if (size > MAX_FILE_BYTES) throw Object.assign(new Error('The file is too large'), { code: 'EFBIG' });
  return { text: readFileSync(path, 'utf8'), mode };
};

/** @throws AuthdError `config_invalid` whose `details.problems` lists every problem (see describeConfigProblems). */
export function loadConfig({ env, readFile = readFileFromDisk }: ConfigSources): LoadedConfig {
  const findings = createFindings();
  const file = readConfigFile(env, readFile, findings);
  const raw = gatherRawValues({ env, file, readFile }, findings);
  const values = withDefaults(parseAll(raw, findings));
  const isGiven = (name: VariableName): boolean => raw.has(name);
  const { apps, appIds } = readApps({ values, isGiven, list: file['apps'], readFile }, findings);
  const clients = readClients({ apiKeys: values.API_KEYS ?? [], list: file['clients'], appIds }, findings);
  applyRules({ values, isGiven, readFile, apps, clients: clients.length }, findings);
  for (const warning of warnUnknownVariables(env)) findings.warn(warning);
  throwIfAny(findings.problems);
  const config = deepFreeze<Config>({ ...assemble(values), apps, clients });
  return {
    config,
    warnings: findings.warnings,
    settings: describeSettings(values, raw),
    secrets: secretsOf(values, apps),
  };
}

/** The values that have their format; says what is wrong with the others. */
function parseAll(raw: ReadonlyMap<VariableName, RawValue>, findings: Findings): Partial<Values> {
  const parsedValues: Partial<Record<VariableName, unknown>> = {};
  for (const [name, { raw: value, from }] of raw) {
    // Its problem has been said where it was read.
    if (value === undefined) continue;
    const { format } = VARIABLES[name];
    const parsed = format.parse(value);
    if (parsed.ok) parsedValues[name] = parsed.value;
    else findings.problem(from, parsed.problem, format.accepts);
  }
  return parsedValues as Partial<Values>;
}

function assemble(values: Values): Omit<Config, 'apps' | 'clients'> {
  return {
    session: { ttlSeconds: values.AUTH_SESSION_TTL, retentionDays: values.AUTH_SESSION_RETENTION_DAYS },
    oauthRedirectUri: values.OAUTH_REDIRECT_URI,
    callbackServer: {
      enabled: values.CALLBACK_SERVER_ENABLED,
      host: values.CALLBACK_SERVER_HOST,
      port: values.CALLBACK_SERVER_PORT,
      trustedProxies: values.CALLBACK_SERVER_TRUSTED_PROXIES,
    },
    http: {
      host: values.HTTP_HOST,
      port: values.HTTP_PORT,
      tls: tlsOf(values),
      allowPlaintext: values.HTTP_ALLOW_PLAINTEXT,
    },
    metricsPort: metricsPortOf(values),
    redis: {
      url: values.REDIS_URL,
      keyPrefix: values.REDIS_KEY_PREFIX,
      allowEviction: values.REDIS_ALLOW_EVICTION,
    },
    encryptionKeys: values.TOKEN_ENCRYPTION_KEYS ?? [],
    tokens: {
      refreshThreshold: values.TOKEN_REFRESH_THRESHOLD,
      refreshPolicy: values.TOKEN_REFRESH_POLICY,
      grantMaxIdleDays: values.GRANT_MAX_IDLE_DAYS,
    },
    // Absolute: a later change of folder must not move the spool.
    stateDir: resolve(values.STATE_DIR),
    ws: {
      reconnectBaseMs: values.WS_RECONNECT_BASE_MS,
      reconnectMaxMs: values.WS_RECONNECT_MAX_MS,
      pongTimeoutSeconds: values.WS_PONG_TIMEOUT,
      rotateAfterSeconds: values.WS_ROTATE_AFTER,
    },
    cards: { limitPerUserPerHour: values.CARD_LIMIT_PER_USER_PER_HOUR, timezone: values.CARD_TIMEZONE },
    roles: values.ROLES,
    log: { level: values.LOG_LEVEL, format: values.LOG_FORMAT },
    shutdownTimeoutSeconds: values.SHUTDOWN_TIMEOUT,
    proxy: proxyOf(values),
  };
}

/** The API's own port named once more is no second port; two times 0 are two free ports. */
function metricsPortOf({ METRICS_PORT: port, HTTP_PORT: apiPort }: Values): number | null {
  return port !== 0 && port === apiPort ? null : port;
}

function tlsOf({ HTTP_TLS_CERT_FILE: certFile, HTTP_TLS_KEY_FILE: keyFile }: Values): TlsConfig | null {
  return certFile === null || keyFile === null ? null : { certFile, keyFile };
}

function proxyOf({ HTTPS_PROXY: httpsProxy, HTTP_PROXY: httpProxy, NO_PROXY: noProxy }: Values): ProxyConfig {
  return { httpsProxy, httpProxy, noProxy };
}
