/**
 * What the status page knows: the running processes as they tell of themselves, and what the fleet holds. Shapes only.
 * Times are milliseconds since the epoch. Nothing here is secret, and no user is named in it.
 */
import type { CardCallback, LocalizedText, Role } from '../config/config.js';
import type { FailureDetail, FailureReason, SessionState } from './session.js';

/** A fault as the log says it, counted: the same one is one entry. */
export interface Trouble {
  readonly level: 'warn' | 'error' | 'fatal';
  /** The stable name of the log line. */
  readonly event: string;
  readonly appId: string | null;
  /** Why, in one word: the reason of a lost connection, or an error code such as ECONNREFUSED. */
  readonly cause: string | null;
  readonly feishuCode: number | null;
  /** Feishu's, of the last occurrence. */
  readonly logId: string | null;
  /** The sentence of the last line, English. */
  readonly message: string;
  /** Lines since `firstAt`. */
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

/** What a code means and what to do. */
export interface Meaning {
  readonly cause: LocalizedText;
  readonly remedy: LocalizedText;
}

/** A fault of the whole fleet, counted over its processes. */
export interface FleetTrouble extends Trouble {
  /** Where it was met: `host:pid`. */
  readonly processes: readonly string[];
  /** null: nobody knows more than the line says. */
  readonly meaning: Meaning | null;
}

export interface ConnectionNote {
  readonly appId: string;
  readonly state: 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'stopped';
  /** When it came into this state. */
  readonly since: number;
  /** The last click or event; null: none yet. */
  readonly lastEventAt: number | null;
  /** Why it is not connected; null while it is. */
  readonly trouble: {
    readonly cause: string;
    readonly feishuCode: number | null;
    readonly logId: string | null;
  } | null;
}

/** A running process, as it tells of itself. */
export interface ProcessNote {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly roles: readonly Role[];
  readonly startedAt: number;
  /** Its long connections; none without the role `gateway`. */
  readonly connections: readonly ConnectionNote[];
  /** Queues whose due jobs nothing works on. */
  readonly stalledQueues: readonly string[];
  /** Token sets in its STATE_DIR; null: it cannot be read. */
  readonly spoolEntries: number | null;
  /** The newest first. */
  readonly troubles: readonly Trouble[];
}

export interface SeenProcess extends ProcessNote {
  /** Milliseconds since it was last heard of. */
  readonly silentMs: number;
}

export interface SessionGlance {
  readonly sessionId: string;
  readonly state: SessionState;
  readonly failureReason: FailureReason | null;
  readonly clientId: string;
  readonly createdAt: number;
  readonly endedAt: number | null;
}

/** The sessions of the last hour and the grants of one app. */
export interface AppOverview {
  readonly sessions: {
    /** Created in the last hour. */
    readonly created: number;
    /** How many of these, the newest ones, the following is about. */
    readonly counted: number;
    readonly byState: Readonly<Partial<Record<SessionState, number>>>;
    readonly byFailure: Readonly<Partial<Record<FailureReason, number>>>;
    /** A few, newest first. */
    readonly newest: readonly SessionGlance[];
  };
  readonly suspended: number;
  readonly reauthorizationRequired: number;
  readonly revoked: number;
  /** Cards that expired in a row without any click. */
  readonly unclicked: number;
  /** No grant of the app is refreshed now, because an operator must act; null: they are. */
  readonly refreshHalt: { readonly forMs: number; readonly detail: FailureDetail | null } | null;
}

export interface QueueStatus {
  readonly name: string;
  /** Jobs by BullMQ's names of the states. */
  readonly jobs: Readonly<Record<string, number>>;
  readonly oldestAgeSeconds: number;
}

export interface AppStatus {
  readonly appId: string;
  /** The way its clicks and events come. */
  readonly callbacks: CardCallback;
  /** null: Redis does not answer. */
  readonly overview: AppOverview | null;
  readonly grants: {
    /** Usable now, or renewable. */
    readonly active: number;
    /** Of these, how many end within a day and a week unless they are renewed. */
    readonly expiringWithin1d: number;
    readonly expiringWithin7d: number;
  } | null;
  /** Calls of the last minute over Feishu's limit of a minute; 1: used up. */
  readonly budgets: readonly { readonly api: string; readonly usedRatio: number }[] | null;
}

export interface FleetStatus {
  readonly now: number;
  /** The process that answers. */
  readonly processId: string;
  /** Redis has been reached since the start, and answers now. */
  readonly redisAnswers: boolean;
  /** null where it is not known, here and below. */
  readonly redisPersistenceOk: boolean | null;
  readonly encryptionKeysMissing: number | null;
  /** With Redis away only the one that answers. */
  readonly processes: readonly SeenProcess[];
  readonly apps: readonly AppStatus[];
  readonly queues: readonly QueueStatus[] | null;
}
