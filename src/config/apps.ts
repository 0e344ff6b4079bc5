/**
 * The apps: either the one of FEISHU_APP_ID, or those of `apps` in CONFIG_FILE. Brand, hosts, grant and scopes of
 * the variables are the defaults of every entry of `apps`.
 */
import { MAX_SCOPES, withOfflineAccess } from '../domain/scopes.js';
import { baseUrl, HOSTS_BY_BRAND, type Hosts } from './addresses.js';
import type { AppConfig, Brand } from './config.js';
import { appId, boolean, scopeList, secretWord } from './formats.js';
import { type ObjectReader, readObject } from './json-object.js';
import type { Findings } from './problems.js';
import { type ReadFile, readSecretFile } from './sources.js';
import { AUTH_GRANT, BRAND, CARD, CARD_CALLBACK, type Values, type VariableName } from './variables.js';

const APP_KEYS = [
  'app_id',
  'app_secret',
  'app_secret_file',
  'enabled',
  'brand',
  'api_base_url',
  'accounts_base_url',
  'applink_base_url',
  'auth_grant',
  'auth_scopes',
  'card',
  'card_callback',
  'encrypt_key',
  'encrypt_key_file',
  'verification_token',
  'verification_token_file',
] as const;

export interface AppSources {
  readonly values: Values;
  /** Whether that variable was set anywhere, rightly or wrongly. */
  isGiven(name: VariableName): boolean;
  /** `apps` of CONFIG_FILE as parsed from JSON; undefined when absent. */
  readonly list: unknown;
  readonly readFile: ReadFile;
}

/** What an app is made of, before it is judged as a whole. */
interface AppParts extends Omit<AppConfig, 'appId' | 'appSecret' | keyof Hosts> {
  readonly appId: string | null;
  readonly appSecret: string | null;
  readonly hosts: Partial<Hosts>;
}

/** The names under which the parts of one app are set, for messages. */
interface Names {
  readonly scopes: string;
  readonly card: string;
  readonly encryptKey: string;
}

export interface Apps {
  /** Those to connect, at least one unless a problem was said. */
  readonly apps: readonly AppConfig[];
  /** Every app that is configured, also those switched off or with problems. */
  readonly appIds: ReadonlySet<string>;
}

export function readApps(sources: AppSources, findings: Findings): Apps {
  return sources.list === undefined ? readSingleApp(sources, findings) : readAppList(sources, findings);
}

function readSingleApp({ values, isGiven }: AppSources, findings: Findings): Apps {
  for (const name of ['FEISHU_APP_ID', 'FEISHU_APP_SECRET'] as const) {
    if (!isGiven(name)) findings.problem(name, 'is required, unless CONFIG_FILE has `apps`');
  }
  const parts = { ...defaultsOf(values), appId: values.FEISHU_APP_ID, appSecret: values.FEISHU_APP_SECRET };
  const names = { scopes: 'AUTH_SCOPES', card: 'CARD', encryptKey: 'FEISHU_ENCRYPT_KEY' };
  const app = finish(parts, names, findings);
  return { apps: compact([app]), appIds: new Set(compact([parts.appId])) };
}

function readAppList(sources: AppSources, findings: Findings): Apps {
  const { list, isGiven } = sources;
  for (const name of ['FEISHU_APP_ID', 'FEISHU_APP_SECRET'] as const) {
    if (isGiven(name)) findings.problem(name, 'is set, and `apps` in CONFIG_FILE too: use one of them');
  }
  if (!Array.isArray(list) || list.length === 0) {
    findings.problem('apps', 'is not a list with at least one app', '[{app_id, app_secret or app_secret_file, …}]');
    return { apps: [], appIds: new Set() };
  }
  const appIds = new Set<string>();
  const entries = list.map((entry: unknown, index) => {
    const reader = readObject(entry, `apps[${index}]`, APP_KEYS, findings);
    return reader === null ? null : readEntry(reader, appIds, sources, findings);
  });
  for (const { app, enabled } of compact(entries)) {
    if (app !== null && !enabled) findings.warn(`The app ${app.appId} is switched off (enabled: false in CONFIG_FILE)`);
  }
  const apps = compact(compact(entries).map(({ app, enabled }) => (enabled ? app : null)));
  if (apps.length === 0 && findings.problems.length === 0) findings.problem('apps', 'has no app that is enabled');
  return { apps, appIds };
}

function readEntry(
  reader: ObjectReader,
  appIds: Set<string>,
  { values, readFile }: AppSources,
  findings: Findings,
): { app: AppConfig | null; enabled: boolean } {
  const { place } = reader;
  const defaults = defaultsOf(values);
  const overrides = {
    openBaseUrl: reader.read('api_base_url', baseUrl),
    accountsBaseUrl: reader.read('accounts_base_url', baseUrl),
    applinkBaseUrl: reader.read('applink_base_url', baseUrl),
  };
  const parts: AppParts = {
    appId: reader.need('app_id', appId) ?? null,
    appSecret: readSecret(reader, 'app_secret', readFile, findings) ?? needSecret(reader),
    brand: reader.read('brand', BRAND) ?? defaults.brand,
    hosts: { ...defaults.hosts, ...withoutGaps(overrides) },
    authGrant: reader.read('auth_grant', AUTH_GRANT) ?? defaults.authGrant,
    authScopes: reader.read('auth_scopes', scopeList) ?? defaults.authScopes,
    card: reader.read('card', CARD) ?? defaults.card,
    cardCallback: reader.read('card_callback', CARD_CALLBACK) ?? defaults.cardCallback,
    encryptKey: readSecret(reader, 'encrypt_key', readFile, findings) ?? defaults.encryptKey,
    verificationToken: readSecret(reader, 'verification_token', readFile, findings) ?? defaults.verificationToken,
  };
  if (parts.appId !== null) {
    if (appIds.has(parts.appId)) reader.problem('app_id', 'is the id of an app that was named before');
    appIds.add(parts.appId);
  }
  const names = { scopes: `${place}.auth_scopes`, card: `${place}.card`, encryptKey: `${place}.encrypt_key` };
  return { app: finish(parts, names, findings), enabled: reader.read('enabled', boolean) ?? true };
}

/** The secret, given as it is or by a file; undefined when it is not given, or not rightly. */
function readSecret(
  reader: ObjectReader,
  name: 'app_secret' | 'encrypt_key' | 'verification_token',
  readFile: ReadFile,
  findings: Findings,
): string | undefined {
  const file = `${name}_file` as const;
  if (!reader.has(file)) return reader.read(name, secretWord);
  if (reader.has(name)) reader.problem(file, `is set, and ${name} too: set one of them`);
  const text = readSecretFile(reader.raw(file), `${reader.place}.${file}`, readFile, findings);
  if (text === undefined) return undefined;
  const parsed = secretWord.parse(text);
  if (parsed.ok) return parsed.value;
  reader.problem(file, `names a file whose content ${parsed.problem}`, secretWord.accepts);
  return undefined;
}

/** Says that the app secret is missing, unless something about it has been said. */
function needSecret(reader: ObjectReader): null {
  if (!reader.has('app_secret') && !reader.has('app_secret_file')) reader.need('app_secret', secretWord);
  return null;
}

function defaultsOf(values: Values): Omit<AppParts, 'appId' | 'appSecret'> {
  return {
    brand: values.FEISHU_BRAND,
    hosts: withoutGaps({
      openBaseUrl: values.FEISHU_API_BASE_URL,
      accountsBaseUrl: values.FEISHU_ACCOUNTS_BASE_URL,
      applinkBaseUrl: values.FEISHU_APPLINK_BASE_URL,
    }),
    authGrant: values.AUTH_GRANT,
    authScopes: values.AUTH_SCOPES,
    card: values.CARD,
    cardCallback: values.CARD_CALLBACK,
    encryptKey: values.FEISHU_ENCRYPT_KEY,
    verificationToken: values.FEISHU_VERIFICATION_TOKEN,
  };
}

/** null when a part is missing that a problem has been said about. */
function finish(parts: AppParts, names: Names, findings: Findings): AppConfig | null {
  if (parts.card === 'link' && parts.authGrant !== 'authorization_code') {
    const problem = 'is link, and the links of device_code live for minutes only';
    findings.problem(names.card, problem, 'card, or AUTH_GRANT=authorization_code with it');
  }
  if (parts.cardCallback === 'http' && parts.encryptKey === null) {
    const problem = 'is required for CARD_CALLBACK=http: without it anybody could send clicks';
    findings.problem(names.encryptKey, problem, 'the Encrypt Key of 事件与回调 > 加密策略 in the console');
  }
  const authScopes = withOfflineAccess(parts.authScopes);
  if (authScopes.length > MAX_SCOPES) {
    const problem = `has ${authScopes.length} scopes (offline_access counted)`;
    findings.problem(names.scopes, problem, `at most ${MAX_SCOPES}: Feishu's consent page takes no more`);
  }
  const repeated = parts.authScopes.filter((scope, index) => parts.authScopes.indexOf(scope) !== index);
  if (repeated.length > 0) {
    findings.warn(`${names.scopes} names ${[...new Set(repeated)].join(', ')} more than once: taken as one`);
  }
  const { appId: id, appSecret, hosts, ...rest } = parts;
  if (id === null || appSecret === null) return null;
  return { ...rest, appId: id, appSecret, ...hostsOf(parts.brand, hosts), authScopes };
}

/**
 * With its own API host an app lives outside both clouds: hosts that are not named follow it (`open.x` means
 * `accounts.x` and `applink.x`; any other host serves all), as Feishu's own clients do (FEISHU.md §1).
 */
function hostsOf(brand: Brand, overrides: Partial<Hosts>): Hosts {
  const { openBaseUrl } = overrides;
  if (openBaseUrl === undefined) return { ...HOSTS_BY_BRAND[brand], ...overrides };
  const sibling = (name: string) => openBaseUrl.replace(/^(https?:\/\/)open\./, `$1${name}.`);
  return { openBaseUrl, accountsBaseUrl: sibling('accounts'), applinkBaseUrl: sibling('applink'), ...overrides };
}

/** Without the members that are null or undefined, so that a spread does not overwrite with them. */
function withoutGaps(hosts: { readonly [K in keyof Hosts]: string | null | undefined }): Partial<Hosts> {
  return Object.fromEntries(Object.entries(hosts).filter(([, value]) => typeof value === 'string'));
}

const compact = <T>(items: readonly (T | null)[]): T[] => items.filter((item) => item !== null);
