/**
 * The spool: fresh tokens that Redis could not take, one sealed file each in STATE_DIR/spool (mode 0600, written
 * beside, synced, then renamed). Drained as soon as Redis takes them; a file goes only after that.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { appOfSession } from '../domain/session-id.js';
import type { TokenSet } from '../domain/token-set.js';
import { AuthdError } from '../errors.js';
import type { Envelope } from './envelope.js';

export interface SpoolEntry {
  readonly sessionId: string;
  readonly linkNumber: number;
  readonly tokens: TokenSet;
}

export interface Spool {
  /** Creates the folder, checks that it can be written, finds what waits there. @throws AuthdError `config_invalid` */
  prepare(): Promise<void>;
  write(entry: SpoolEntry): Promise<void>;
  /** Whether tokens of this session wait here: its device code is spent, so it must not be polled for again. */
  holds(sessionId: string): boolean;
  /** Hands each entry to `take`; deletes it when that resolves. Stops at the first that rejects. Returns how many went. */
  drain(take: (entry: SpoolEntry) => Promise<void>): Promise<number>;
}

const SUFFIX = '.sealed';

const sessionOfFile = (name: string): string => name.slice(name.indexOf('-') + 1, name.lastIndexOf('-'));

export function createSpool(deps: { stateDir: string; envelope: Envelope; logger: Logger }): Spool {
  const folder = join(deps.stateDir, 'spool');
  const context = (sessionId: string) =>
    ({ appId: appOfSession(sessionId) ?? '', owner: sessionId, purpose: 'spool', generation: 0 }) as const;
  let draining: Promise<number> | null = null;
  const held = new Set<string>();
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

  const drainOnce = async (take: (entry: SpoolEntry) => Promise<void>): Promise<number> => {
    let count = 0;
    const names = await entries();
    // Another process that shares the folder may have drained what we wrote, or written what we must not poll for.
    held.clear();
    for (const name of names) if (!unreadable.has(name)) held.add(sessionOfFile(name));
    for (const name of names) {
      const path = join(folder, name);
      const sessionId = sessionOfFile(name);
      let entry: SpoolEntry;
      try {
        entry = JSON.parse(deps.envelope.open(await readFile(path), context(sessionId))) as SpoolEntry;
      } catch (error) {
        const fields = { event: 'spool.unreadable', err: error, session_id: sessionId };
        deps.logger.error(fields, 'A spooled record does not open; it stays where it is');
        unreadable.add(name);
        held.delete(sessionId);
        continue;
      }
      await take(entry);
      await unlink(path);
      held.delete(sessionId);
      count += 1;
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
        for (const name of await entries()) held.add(sessionOfFile(name));
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
        throw new AuthdError('config_invalid', `STATE_DIR: cannot write to ${deps.stateDir} (${code})`, {
          remedy: 'Name a folder of its own that this user may write to.',
          cause: error,
        });
      }
    },

    async write(entry) {
      const sealed = deps.envelope.seal(JSON.stringify(entry), context(entry.sessionId));
      const name = `${Date.now()}-${entry.sessionId}-${randomBytes(6).toString('hex')}${SUFFIX}`;
      await writeFileSynced(name, sealed);
      held.add(entry.sessionId);
    },

    holds: (sessionId) => held.has(sessionId),

    async drain(take) {
      draining ??= drainOnce(take).finally(() => {
        draining = null;
      });
      return await draining;
    },
  };
}
