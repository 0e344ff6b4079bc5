/** What an app's sessions of the last hour and its grants are like, for the status page, in one bounded look. */
import type { Redis } from 'ioredis';
import type { AppOverview, SessionGlance } from '../domain/fleet.js';
import type { FailureDetail, FailureReason, SessionState } from '../domain/session.js';
import type { StoreKeys } from './keys.js';
import { overviewScript } from './scripts/overview.js';

const HOUR_MS = 3_600_000;
/** Sessions that are looked at: a millisecond or two of Redis's time. */
const LOOKED_AT = 500;
const NAMED = 8;

export type ReadOverview = (appId: string) => Promise<AppOverview>;

export function createOverview({ redis, keys }: { redis: Redis; keys: Pick<StoreKeys, 'base'> }): ReadOverview {
  return async (appId) => {
    const reply = await overviewScript(redis, [keys.base(appId)], [HOUR_MS, LOOKED_AT, NAMED]);
    const [created, states, reasons, newest, suspended, again, revoked, unclicked, haltMs, detail] = reply as Reply;
    const byState = counts<SessionState>(states);
    return {
      sessions: {
        created,
        counted: Object.values<number>(byState).reduce((sum, count) => sum + count, 0),
        byState,
        byFailure: counts<FailureReason>(reasons),
        newest: glances(newest),
      },
      suspended,
      reauthorizationRequired: again,
      revoked,
      unclicked,
      refreshHalt: haltMs === 0 ? null : { forMs: haltMs, detail: detail === '' ? null : parseDetail(detail) },
    };
  };
}

type Flat = readonly (string | number)[];
type Reply = readonly [number, Flat, Flat, readonly string[], number, number, number, number, number, string];

const parseDetail = (json: string): FailureDetail => JSON.parse(json) as FailureDetail;

function counts<Name extends string>(flat: Flat): Record<Name, number> {
  const pairs = flat.flatMap((name, i) => (i % 2 === 0 ? [[String(name), Number(flat[i + 1])] as const] : []));
  return Object.fromEntries(pairs) as Record<Name, number>;
}

const FIELDS = 6;

function glances(flat: readonly string[]): SessionGlance[] {
  const list: SessionGlance[] = [];
  for (let i = 0; i + FIELDS <= flat.length; i += FIELDS) {
    const [sessionId = '', state = '', reason = '', clientId = '', createdAt, endedAt = ''] = flat.slice(i, i + FIELDS);
    list.push({
      sessionId,
      state: state as SessionState,
      failureReason: reason === '' ? null : (reason as FailureReason),
      clientId,
      createdAt: Number(createdAt),
      endedAt: endedAt === '' ? null : Number(endedAt),
    });
  }
  return list;
}
