/**
 * The spool: fresh tokens that Redis could not take, or may lose again with its last second, one sealed file each in
 * STATE_DIR/spool (mode 0600, written beside, synced, then renamed). Drained as soon as Redis takes them; a file goes
 * only after that.
 */

import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Grant } from '../domain/grant.js';
import { appOfSession } from '../domain/session-id.js';
import type { TokenSet } from '../domain/token-set.js';
import { AuthdError } from '../errors.js';
import { type Envelope, keyIdOf, SEAL_HEADER_BYTES } from './envelope.js';

/** Tokens of a consent that is not verified yet. */
export interface SpooledConsent {
  readonly kind?: 'consent';
  readonly sessionId: string;
  readonly linkNumber: number;
  readonly tokens: TokenSet;
}

/** The successor of a grant's generation `after`. Times in milliseconds. */
export interface SpooledGrant {
  readonly kind: 'grant';
  readonly appId: string;
  readonly openId: string;
  readonly after: number;
  readonly generation: number;
  readonly grant: Grant;
  readonly dueAt: number | null;
}

export type SpoolEntry = SpooledConsent | SpooledGrant;

/** `drop`: its file may go. `hold`: not yet. */
export type SpoolVerdict = 'drop' | 'hold';

export interface Spool {
  /**
   * Creates the folder, checks that it can be written, finds what waits there. @throws AuthdError `config_invalid`, or
   * `key_mismatch` when the key of an entry is not configured
   */
  prepare(): Promise<void>;
  write(entry: SpoolEntry): Promise<void>;
  /** Whether tokens of this session wait here: its device code is spent, so it must not be polled for again. */
  holds(sessionId: string): boolean;
  /** How many entries wait in the folder, those that do not open included. */
  count(): Promise<number>;
  /** Whether a successor of this grant lies here: its stored refresh token may be spent. */
  holdsGrant(appId: string, openId: string): boolean;
  /** Entries by the key they are sealed with; those that do not open aside. */
  keyUses(): Promise<Record<string, number>>;
  /** Hands each entry to `take`, oldest first. Stops at the first that rejects. Returns how many were dropped. */
  drain(take: (entry: SpoolEntry) => Promise<SpoolVerdict>): Promise<number>;
}

const SUFFIX = '.sealed';

/** Names whom an entry belongs to, in its file's name and in what it is sealed for. */
const ownerOf = (entry: SpoolEntry): string =>
  entry.kind === 'grant' ? ownerOfGrant(entry.appId, entry.openId) : entry.sessionId;

const ownerOfGrant = (appId: string, openId: string): string =>
  `grant_${createHash('sha256').update(`${appId} ${openId}`).digest('hex').slice(0, 40)}`;

const ownerOfFile = (name: string): string => name.slice(name.indexOf('-') + 1, name.lastIndexOf('-'));

export function createSpool(deps: { stateDir: string; envelope: Envelope; logger: Logger }): Spool {
  const folder = join(deps.stateDir, 'spool');
  const context = (owner: string) =>
    ({ appId: appOfSession(owner) ?? '', owner, purpose: 'spool', generation: 0 }) as const;
  let draining: Promise<number> | null = null;
  const held = createHeld();
  /** Files that do not open, each said once. */
  const unreadable = new Set<string>();

  const entries = async (): Promise<string[]> =>
    (await readdir(folder)).filter((name) => name.endsWith(SUFFIX) && !unreadable.has(name)).sort();

  const writeFileSynced = async (name: string, content: Buffer): Promise<void> => {
    const beside = join(folder, `.${name}.tmp`);
    const file = await open(beside, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, join(folder, name));
    const directory = await open(folder, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  };

  /** The entry of a file; null: it does not open, or another process that shares the folder was quicker. */
  const entryOf = async (name: string): Promise<SpoolEntry | null> => {
    const owner = ownerOfFile(name);
    try {
      return JSON.parse(deps.envelope.open(await readFile(join(folder, name)), context(owner))) as SpoolEntry;
    } catch (error) {
      if (isMissing(error)) return null;
      const fields = { event: 'spool.unreadable', err: error, entry: owner };
      deps.logger.error(fields, 'A spooled record does not open; it stays where it is');
      unreadable.add(name);
      return null;
    }
  };

  /** Null: not there any more, or no sealed entry at all. */
  const keyOf = async (name: string): Promise<string | null> => {
    const file = await open(join(folder, name), 'r').catch(() => null);
    if (file === null) return null;
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(SEAL_HEADER_BYTES), 0, SEAL_HEADER_BYTES, 0);
      return keyIdOf(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  };

  const keyUses = async (): Promise<Record<string, number>> => {
    const uses: Record<string, number> = {};
    for (const name of await entries()) {
      const keyId = await keyOf(name);
      if (keyId !== null) uses[keyId] = (uses[keyId] ?? 0) + 1;
    }
    return uses;
  };

  const drainOnce = async (take: (entry: SpoolEntry) => Promise<SpoolVerdict>): Promise<number> => {
    let count = 0;
    const before = held.names();
    const names = await entries();
    // Another process that shares the folder may have drained what we wrote, or written what we must not poll for.
    for (const name of before) if (!names.includes(name)) held.drop(name);
    for (const name of names) held.add(name);
    for (const name of names) {
      const entry = await entryOf(name);
      if (entry !== null) {
        if ((await take(entry)) === 'hold') continue;
        await unlink(join(folder, name)).catch((error: unknown) => {
          if (!isMissing(error)) throw error;
        });
        count += 1;
      }
      held.drop(name);
    }
    return count;
  };

  return {
    async prepare() {
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await chmod(deps.stateDir, 0o700);
        const probe = `.probe-${randomBytes(6).toString('hex')}`;
        await (await open(join(folder, probe), 'wx', 0o600)).close();
        await unlink(join(folder, probe));
        for (const name of await entries()) held.add(name);
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
        throw new AuthdError('config_invalid', `STATE_DIR: cannot write to ${deps.stateDir} (${code})`, {
          remedy: 'Name a folder of its own that this user may write to.',
          cause: error,
        });
      }
      const unknown = Object.keys(await keyUses()).find((id) => !deps.envelope.keyIds.includes(id));
      if (unknown === undefined) return;
      throw new AuthdError(
        'key_mismatch',
        `TOKEN_ENCRYPTION_KEYS: tokens in ${folder} wait under key "${unknown}", which is not configured`,
        {
          remedy: `Add key "${unknown}" to TOKEN_ENCRYPTION_KEYS again, or move the files away and lose those tokens.`,
        },
      );
    },

    async write(entry) {
      const owner = ownerOf(entry);
      const sealed = deps.envelope.seal(JSON.stringify(entry), context(owner));
      const name = `${Date.now()}-${owner}-${randomBytes(6).toString('hex')}${SUFFIX}`;
      await writeFileSynced(name, sealed);
      held.add(name);
    },

    holds: (sessionId) => held.isOwner(sessionId),
    holdsGrant: (appId, openId) => held.isOwner(ownerOfGrant(appId, openId)),
    keyUses,

    count: async () => (await readdir(folder)).filter((name) => name.endsWith(SUFFIX)).length,

    async drain(take) {
      draining ??= drainOnce(take).finally(() => {
        draining = null;
      });
      return await draining;
    },
  };
}

/** The files that hold something, by whom they belong to. */
function createHeld() {
  const byOwner = new Map<string, Set<string>>();
  return {
    add(name: string): void {
      const owner = ownerOfFile(name);
      byOwner.set(owner, (byOwner.get(owner) ?? new Set()).add(name));
    },
    drop(name: string): void {
      const owner = ownerOfFile(name);
      const names = byOwner.get(owner);
      names?.delete(name);
      if (names?.size === 0) byOwner.delete(owner);
    },
    isOwner: (owner: string): boolean => byOwner.has(owner),
    names: (): string[] => [...byOwner.values()].flatMap((names) => [...names]),
  };
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';
