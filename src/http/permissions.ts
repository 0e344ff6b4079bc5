/**
 * What a client may do: actions, apps, scopes, and whose sessions and grants it may see (CONTRACT §2). Pure. Who the
 * client is has been decided before (authentication.ts).
 */
import type { ClientAction, ClientConfig } from '../config/config.js';
import type { GrantStatus } from '../domain/grant.js';
import { OFFLINE_ACCESS } from '../domain/scopes.js';
import type { Session } from '../domain/session.js';
import { AuthdError } from '../errors.js';
import type { ApiApp } from './ports.js';

/** @throws {AuthdError} `forbidden` when the client has none of the actions. */
export function requireAction(client: ClientConfig, ...anyOf: readonly ClientAction[]): void {
  if (anyOf.some((action) => client.actions.includes(action))) return;
  throw new AuthdError('forbidden', `Client ${client.id} lacks the action ${anyOf.join(' or ')}`);
}

const mayUseApp = (client: ClientConfig, appId: string): boolean => client.apps === null || client.apps.includes(appId);

/** The configured apps this client may use. */
export const appsOf = (client: ClientConfig, apps: readonly ApiApp[]): ApiApp[] =>
  apps.filter((app) => mayUseApp(client, app.appId));

/**
 * The app a request is about. Without `appId` it is the only one the client could mean.
 * @throws {AuthdError} `app_not_found`, `forbidden`, or `app_id_required` with the client's `app_ids`.
 */
export function resolveApp(client: ClientConfig, apps: readonly ApiApp[], appId: string | undefined): ApiApp {
  const allowed = appsOf(client, apps);
  if (appId === undefined) {
    const [only, ...others] = allowed;
    if (only === undefined) throw new AuthdError('forbidden', `Client ${client.id} may use none of the apps`);
    if (others.length === 0) return only;
    throw new AuthdError('app_id_required', 'Say which app is meant: app_id', {
      details: { app_ids: allowed.map((app) => app.appId) },
    });
  }
  const app = allowed.find((candidate) => candidate.appId === appId);
  if (app !== undefined) return app;
  if (apps.some((candidate) => candidate.appId === appId)) {
    throw new AuthdError('forbidden', `Client ${client.id} may not use this app`);
  }
  throw new AuthdError('app_not_found', 'No app with this app_id is configured');
}

/** The scopes a client may neither ask for nor read. `offline_access` is everybody's: it opens no data. */
export const scopesBeyond = (client: ClientConfig, scopes: readonly string[]): string[] =>
  scopes.filter((scope) => client.scopes !== null && scope !== OFFLINE_ACCESS && !client.scopes.includes(scope));

/** @throws {AuthdError} `forbidden` naming the `forbidden_scopes`. */
export function requireScopes(client: ClientConfig, scopes: readonly string[]): void {
  const forbidden = scopesBeyond(client, scopes);
  if (forbidden.length === 0) return;
  throw new AuthdError('forbidden', `Client ${client.id} may not ask for or read some of these scopes`, {
    details: { forbidden_scopes: forbidden },
  });
}

const isAdmin = (client: ClientConfig): boolean => client.actions.includes('admin');

/** A client sees its own sessions, with `admin` those of others too; never those of an app it may not use. */
export const seesSession = (client: ClientConfig, session: Session): boolean =>
  mayUseApp(client, session.appId) && (session.clientId === client.id || isAdmin(client));

/** Whose sessions a list may hold: null means everybody's. */
export const ownerFilter = (client: ClientConfig): string | null => (isAdmin(client) ? null : client.id);

/** A client sees the grants its sessions led to, with `admin` all of them. */
export const seesGrant = (client: ClientConfig, grant: GrantStatus): boolean =>
  isAdmin(client) || grant.clientIds.includes(client.id);
