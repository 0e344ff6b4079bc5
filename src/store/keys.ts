/**
 * Names of our keys in Redis. Everything of one app shares the hash tag `{app_id}`, so that a script may touch all of
 * it, also on a cluster. BullMQ's keys live under `<prefix>:{q}`.
 */
export interface StoreKeys {
  /** `<prefix>:{<app_id>}`: first KEYS argument of every script; scripts append the rest themselves. */
  base(appId: string): string;
  /** Channel on which the store publishes ids of changed sessions. */
  changes(appId: string): string;
  session(appId: string, sessionId: string): string;
  grant(appId: string, openId: string): string;
  idempotency(clientId: string, digest: string): string;
  /** Hashes of the keyring (scripts/keyring.ts). */
  readonly keyChecks: string;
  readonly keySealing: string;
  readonly keyProcesses: string;
  readonly keyReseal: string;
  /** What running processes tell of themselves (scripts/processes.ts): by process id, and when each was last heard of. */
  readonly processes: string;
  readonly processesSeen: string;
  /** A glob pattern that every key of every app fits. */
  readonly ofAnyApp: string;
  readonly install: string;
  readonly queuePrefix: string;
}

export function storeKeys(prefix: string): StoreKeys {
  const base = (appId: string): string => `${prefix}:{${appId}}`;
  return {
    base,
    changes: (appId) => `${base(appId)}:changes`,
    session: (appId, sessionId) => `${base(appId)}:session:${sessionId}`,
    grant: (appId, openId) => `${base(appId)}:grant:${openId}`,
    idempotency: (clientId, digest) => `${prefix}:idempotency:${clientId}:${digest}`,
    keyChecks: `${prefix}:keys`,
    keySealing: `${prefix}:keys:sealing`,
    keyProcesses: `${prefix}:keys:processes`,
    keyReseal: `${prefix}:keys:reseal`,
    processes: `${prefix}:processes`,
    processesSeen: `${prefix}:processes:seen`,
    ofAnyApp: `${prefix}:{cli_*`,
    install: `${prefix}:install`,
    queuePrefix: `${prefix}:{q}`,
  };
}
