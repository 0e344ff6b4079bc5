/** The clients: those of API_KEYS, which may do everything, and those of `clients` in CONFIG_FILE, with limits. */
import { cleanName } from '../domain/plain-text.js';
import { OFFLINE_ACCESS, SCOPE_PATTERN, union } from '../domain/scopes.js';
import type { ClientAction, ClientConfig, LocalizedText } from './config.js';
import { appId, bad, type Format, matching, ok, oneOf } from './formats.js';
import { arrayOf, type ObjectReader, readObject } from './json-object.js';
import type { Findings } from './problems.js';
import { type ApiKey, CLIENT_ID, sha256Hex } from './secrets.js';

const CLIENT_KEYS = ['id', 'display_name', 'secret_sha256', 'apps', 'scopes', 'actions'] as const;
const ACTIONS = ['ask', 'status', 'token', 'revoke', 'admin'] as const satisfies readonly ClientAction[];
/** A client whose entry names no actions: everything but seeing what belongs to others. */
const USUAL_ACTIONS: readonly ClientAction[] = ['ask', 'status', 'token', 'revoke'];

const clientId = matching(CLIENT_ID, '1 to 64 characters of A-Z a-z 0-9 . _ -');
const scopeName = matching(SCOPE_PATTERN, 'the name of a scope', 'is not the name of a scope');
const digest: Format<string> = {
  accepts: 'SHA-256 of a secret as 64 hexadecimal digits',
  parse: (raw) =>
    typeof raw === 'string' && /^[0-9a-f]{64}$/i.test(raw)
      ? ok(raw.toLowerCase())
      : bad('is not 64 hexadecimal digits'),
};
const name: Format<string> = {
  accepts: 'a name of 1 to 64 characters in one line',
  parse: (raw) =>
    typeof raw === 'string' && raw !== '' && cleanName(raw, 64) === raw ? ok(raw) : bad('is not a plain name'),
};

export interface ClientSources {
  readonly apiKeys: readonly ApiKey[];
  /** `clients` of CONFIG_FILE as parsed from JSON; undefined when absent. */
  readonly list: unknown;
  /** Every app that is configured, switched-off ones included. */
  readonly appIds: ReadonlySet<string>;
}

export function readClients({ apiKeys, list, appIds }: ClientSources, findings: Findings): readonly ClientConfig[] {
  const clients = fromApiKeys(apiKeys);
  if (list !== undefined && !Array.isArray(list)) findings.problem('clients', 'is not a list', '[{id, …}, …]');
  const digests = new Set(clients.flatMap((client) => client.secretSha256));
  for (const [index, entry] of (Array.isArray(list) ? list : []).entries()) {
    const reader = readObject(entry, `clients[${index}]`, CLIENT_KEYS, findings);
    const client = reader === null ? null : readClient(reader, appIds, findings);
    if (reader === null || client === null) continue;
    if (clients.some(({ id }) => id === client.id)) reader.problem('id', 'is the id of another client');
    if (client.secretSha256.some((sha256) => digests.has(sha256))) {
      reader.problem('secret_sha256', 'is the secret of another client: nobody could tell them apart');
    }
    for (const sha256 of client.secretSha256) digests.add(sha256);
    clients.push(client);
  }
  return clients;
}

function fromApiKeys(apiKeys: readonly ApiKey[]): ClientConfig[] {
  return union(apiKeys.map(({ id }) => id)).map((id) => ({
    id,
    displayName: null,
    secretSha256: apiKeys.filter((key) => key.id === id).map(({ secret }) => sha256Hex(secret)),
    apps: null,
    scopes: null,
    actions: ACTIONS,
  }));
}

function readClient(reader: ObjectReader, appIds: ReadonlySet<string>, findings: Findings): ClientConfig | null {
  const id = reader.need('id', clientId);
  const secretSha256 = reader.need('secret_sha256', arrayOf(digest, { atLeast: 1 }));
  const displayName = readDisplayName(reader, findings);
  const apps = reader.read('apps', arrayOf(appId, { atLeast: 1 })) ?? null;
  const scopes = reader.read('scopes', arrayOf(scopeName)) ?? null;
  const actions = reader.read('actions', arrayOf(oneOf(ACTIONS), { atLeast: 1 })) ?? USUAL_ACTIONS;
  for (const app of apps ?? []) {
    if (!appIds.has(app)) reader.problem('apps', `names ${app}, which is not configured`);
  }
  if (id === undefined || secretSha256 === undefined) return null;
  return {
    id,
    displayName,
    secretSha256: union(secretSha256),
    apps,
    // It is added to every request, so that a client with limits must be allowed to ask for it.
    scopes: scopes === null ? null : union(scopes, [OFFLINE_ACCESS]),
    actions: [...new Set(actions)],
  };
}

function readDisplayName(reader: ObjectReader, findings: Findings): LocalizedText | null {
  if (!reader.has('display_name')) return null;
  const names = readObject(reader.raw('display_name'), `${reader.place}.display_name`, ['zh_cn', 'en_us'], findings);
  const chinese = names?.need('zh_cn', name);
  const english = names?.need('en_us', name);
  return chinese === undefined || english === undefined ? null : { zh_cn: chinese, en_us: english };
}
