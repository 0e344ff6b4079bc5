/** Lists of sessions, newest first, from the sorted sets that the scripts keep. Cursors are opaque to clients. */
import type { Redis } from 'ioredis';
import type { Session, SessionState } from '../domain/session.js';
import { appOfSession } from '../domain/session-id.js';
import { AuthdError } from '../errors.js';
import type { StoreKeys } from './keys.js';

export interface ListFilter {
  readonly appIds: readonly string[];
  /** null: sessions of every client. */
  readonly clientId: string | null;
  readonly openId?: string | undefined;
  readonly state?: SessionState | undefined;
  /** 1 to 100. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface SessionPage {
  readonly sessions: Session[];
  readonly nextCursor: string | null;
}

interface Position {
  readonly createdAt: number;
  readonly sessionId: string;
}

/** A page looks at no more than so many sessions: a filter that matches little is continued by the next cursor. */
const MAX_SCANNED = 2_000;
const BATCH = 100;

export function createSessionList(deps: {
  redis: Redis;
  keys: StoreKeys;
  get(sessionId: string): Promise<Session | null>;
}) {
  const { redis, keys } = deps;

  const indexOf = (appId: string, filter: ListFilter): string => {
    const base = keys.base(appId);
    if (filter.openId !== undefined) return `${base}:user:${filter.openId}`;
    if (filter.clientId !== null) return `${base}:client:${filter.clientId}`;
    return `${base}:sessions`;
  };

  /** One record that cannot be read does not hide the others. */
  const getOrSkip = async (sessionId: string): Promise<Session | null> => {
    try {
      return await deps.get(sessionId);
    } catch (error) {
      if (error instanceof AuthdError && error.code === 'record_damaged') return null;
      throw error;
    }
  };

  /** The next sessions of one app behind a position, newest first. */
  const after = async (index: string, position: Position | null): Promise<Position[]> => {
    const max = position === null ? '+inf' : position.createdAt;
    const flat = await redis.zrevrangebyscore(index, max, '-inf', 'WITHSCORES', 'LIMIT', 0, BATCH + 50);
    const found: Position[] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const entry = { sessionId: flat[i] ?? '', createdAt: Number(flat[i + 1]) };
      if (position === null || before(position, entry)) found.push(entry);
    }
    return found.slice(0, BATCH);
  };

  return async function list(filter: ListFilter): Promise<SessionPage> {
    let position = filter.cursor === undefined ? null : parseCursor(filter.cursor);
    const sessions: Session[] = [];
    let scanned = 0;
    for (;;) {
      const perApp = await Promise.all(filter.appIds.map((appId) => after(indexOf(appId, filter), position)));
      const merged = perApp
        .flat()
        .sort((a, b) => (before(a, b) ? -1 : 1))
        .slice(0, BATCH);
      if (merged.length === 0) return { sessions, nextCursor: null };
      const found = await Promise.all(merged.map((entry) => getOrSkip(entry.sessionId)));
      for (const [i, entry] of merged.entries()) {
        const session = found[i];
        position = entry;
        scanned += 1;
        if (session && matches(session, filter)) sessions.push(session);
        if (sessions.length === filter.limit || scanned >= MAX_SCANNED) {
          return { sessions, nextCursor: cursorOf(entry) };
        }
      }
    }
  };
}

const matches = (session: Session, filter: ListFilter): boolean =>
  (filter.clientId === null || session.clientId === filter.clientId) &&
  (filter.state === undefined || session.state === filter.state);

/** Whether `b` comes after `a` in a list that is newest first. */
const before = (a: Position, b: Position): boolean =>
  b.createdAt < a.createdAt || (b.createdAt === a.createdAt && b.sessionId < a.sessionId);

const cursorOf = (position: Position): string =>
  Buffer.from(`${position.createdAt}.${position.sessionId}`).toString('base64url');

function parseCursor(cursor: string): Position {
  const [time = '', sessionId = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split('.');
  if (!/^\d{1,16}$/.test(time) || appOfSession(sessionId) === null) {
    throw new AuthdError('invalid_request', 'cursor: not a cursor that a list has given', {
      details: { errors: [{ in: 'query', field: 'cursor', message: 'not a cursor that a list has given' }] },
    });
  }
  return { createdAt: Number(time), sessionId };
}
