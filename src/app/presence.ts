/**
 * Tells the other processes of this one, again and again and soon after a change, for the status page: roles, long
 * connections, stalled queues, spool, last troubles. What was not told in time counts as gone (store/processes.ts).
 */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Role } from '../config/config.js';
import type { ConnectionNote, ProcessNote, Trouble } from '../domain/fleet.js';
import type { LongConnectionStatus } from '../feishu/long-connection/status.js';
import type { Processes } from '../store/processes.js';
import type { FloodGate } from '../telemetry/flood-gate.js';

export interface PresenceDeps {
  readonly processId: string;
  readonly version: string;
  readonly roles: readonly Role[];
  readonly connections: () => readonly LongConnectionStatus[];
  readonly stalledQueues: () => readonly string[];
  readonly spoolEntries: () => Promise<number | null>;
  readonly troubles: () => readonly Trouble[];
  readonly processes: Pick<Processes, 'tell' | 'leave'>;
  readonly isRedisUp: () => boolean;
  readonly gate: FloodGate;
  readonly now: () => number;
  /** Milliseconds; only tests shorten it. */
  readonly everyMs?: number;
}

export interface Presence {
  /** This process as of now. Never rejects. */
  note(): Promise<ProcessNote>;
  start(): void;
  /** Something has changed that others should see before the next turn. */
  changed(): void;
  /** Never rejects, and takes no longer than a moment. */
  stop(): Promise<void>;
}

const EVERY_MS = 5_000;
/** Changes come in bursts. */
const SOON_MS = 300;
const LAST_MS = 300;

export function createPresence(deps: PresenceDeps): Presence {
  const { everyMs = EVERY_MS, gate, processId } = deps;
  const startedAt = deps.now();
  let timer: NodeJS.Timeout | undefined;
  let dueAt = Number.POSITIVE_INFINITY;
  let telling: Promise<void> | null = null;
  let running = false;

  const note = async (): Promise<ProcessNote> => ({
    id: processId,
    host: hostname(),
    pid: process.pid,
    version: deps.version,
    roles: deps.roles,
    startedAt,
    connections: deps.connections().map(connectionNote),
    stalledQueues: deps.stalledQueues(),
    spoolEntries: await deps.spoolEntries().catch(() => null),
    troubles: deps.troubles(),
  });

  const tell = async (): Promise<void> => {
    try {
      if (deps.isRedisUp()) await deps.processes.tell(await note());
    } catch (error) {
      const fields = { event: 'presence.not_told', err: error };
      gate.warn('presence', fields, 'The other processes could not be told of this one; it is tried again');
    }
  };

  const schedule = (inMs: number): void => {
    if (!running || deps.now() + inMs >= dueAt) return;
    clearTimeout(timer);
    dueAt = deps.now() + inMs;
    timer = setTimeout(() => {
      dueAt = Number.POSITIVE_INFINITY;
      telling = (telling ?? Promise.resolve()).then(tell).then(() => schedule(everyMs));
    }, inMs);
  };

  return {
    note,
    start() {
      running = true;
      schedule(0);
    },
    changed: () => schedule(SOON_MS),
    async stop() {
      running = false;
      clearTimeout(timer);
      // What a Redis that hangs was told last is of no use any more.
      await Promise.race([telling, sleep(LAST_MS, undefined, { ref: false })]);
      await deps.processes.leave(processId);
    },
  };
}

function connectionNote({ appId, lastError, lastEventAt, since, state }: LongConnectionStatus): ConnectionNote {
  const trouble =
    lastError === null
      ? null
      : { cause: lastError.reason, feishuCode: lastError.feishuCode ?? null, logId: lastError.logId ?? null };
  return { appId, state, since, lastEventAt, trouble };
}
