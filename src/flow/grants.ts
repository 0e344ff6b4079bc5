/**
 * Grants as the API reads them: the status, the tokens as of now, the refresh a caller waits for, and the note that a
 * token was handed out. Also what a refresh has brought while Redis would not take it.
 */

import {
  accessTokenOf,
  type GrantReading,
  type GrantStatus,
  type GrantView,
  type RenewedReading,
  statusOf,
} from '../domain/grant.js';
import { dueWhenUsed, type RefreshPolicy } from '../domain/refresh-plan.js';
import type { GrantVault } from '../store/grant-vault.js';
import type { RefreshStore } from '../store/refresh-store.js';
import type { Hints } from './hints.js';
import type { Refresh } from './refresh.js';
import type { Successors } from './successors.js';

export interface Grants {
  status(appId: string, openId: string): Promise<GrantStatus>;
  read(appId: string, openId: string): Promise<GrantReading>;
  renew(appId: string, openId: string, seen: number, force: boolean): Promise<RenewedReading>;
  used(appId: string, openId: string, reading: GrantReading): void;
}

export interface GrantsDeps {
  readonly vault: Pick<GrantVault, 'look'>;
  readonly store: Pick<RefreshStore, 'noteUse'>;
  readonly successors: Pick<Successors, 'unsaved' | 'superseded'>;
  readonly refresh: Pick<Refresh, 'run'>;
  readonly hints: Hints;
  readonly policy: RefreshPolicy;
  readonly random: () => number;
  readonly now: () => number;
}

/** A use is noted again after so long, or with the next token set. */
const NOTE_EVERY_MS = 60_000;
/** Uses remembered by this process; beyond it one more note is written. */
const MAX_NOTED = 20_000;
const NO_MARKS = {
  status: null,
  detail: null,
  failures: 0,
  retryAt: null,
  usedAt: null,
  askedAt: null,
  suspectAt: null,
  ask: false,
  noticeAt: null,
  clientIds: [],
} as const;

export function createGrants(deps: GrantsDeps): Grants {
  const noted = new Map<string, { readonly generation: number; readonly at: number }>();

  /** The store's view, or a newer token set that only this process has. */
  const look = async (appId: string, openId: string): Promise<GrantView> => {
    const unsaved = deps.successors.unsaved(appId, openId);
    if (unsaved === null) return await deps.vault.look(appId, openId);
    const view = await deps.vault.look(appId, openId).catch(() => null);
    if (view === null) return { now: deps.now(), stored: unsaved, marks: NO_MARKS };
    if (view.stored !== null && view.stored.generation < unsaved.generation) {
      return { ...view, stored: unsaved, marks: NO_MARKS };
    }
    deps.successors.superseded(appId, openId, unsaved);
    return view;
  };

  const reading = (appId: string, openId: string, view: GrantView): GrantReading => {
    const { now, stored } = view;
    const grant = statusOf(appId, openId, view);
    if (stored === null) return { now, grant, generation: 0, tokens: [] };
    const newest = accessTokenOf(stored.grant.tokens);
    const { wider } = stored.grant;
    return { now, grant, generation: stored.generation, tokens: wider === undefined ? [newest] : [newest, wider] };
  };

  const read = async (appId: string, openId: string): Promise<GrantReading> =>
    reading(appId, openId, await look(appId, openId));

  return {
    status: async (appId, openId) => (await read(appId, openId)).grant,
    read,

    async renew(appId, openId, seen, force) {
      const outcome = await deps.refresh.run({ appId, openId, seen, force });
      if (outcome.kind === 'fresh') return { ...reading(appId, openId, { ...outcome, marks: NO_MARKS }), kept: null };
      return { ...(await read(appId, openId)), kept: outcome.kind === 'kept' ? outcome : null };
    },

    used(appId, openId, { generation, grant, now, tokens }) {
      const key = `${appId} ${openId}`;
      const last = noted.get(key);
      if (last !== undefined && last.generation === generation && now - last.at < NOTE_EVERY_MS) return;
      noted.delete(key);
      noted.set(key, { generation, at: now });
      const oldest = noted.size > MAX_NOTED ? noted.keys().next() : null;
      if (oldest?.done === false) noted.delete(oldest.value);
      const [newest] = tokens;
      if (newest === undefined) return;
      const planned = { ...newest, refreshToken: '', refreshExpiresAt: grant.refreshExpiresAt };
      const dueAt = grant.renewable ? dueWhenUsed(planned, deps.policy, deps.random) : null;
      deps.hints.add(() => deps.store.noteUse(appId, openId, dueAt));
    },
  };
}
