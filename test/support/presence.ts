/** A presence on a real Redis, quicker than in life. */
import { pino } from 'pino';
import { createPresence, type Presence } from '../../src/app/presence.js';
import type { Trouble } from '../../src/domain/fleet.js';
import type { LongConnectionStatus } from '../../src/feishu/long-connection/status.js';
import { storeKeys } from '../../src/store/keys.js';
import { createProcesses, type Processes } from '../../src/store/processes.js';
import { createRedis } from '../../src/store/redis.js';
import { createFloodGate } from '../../src/telemetry/flood-gate.js';

/** In life 35 s, beside a note every 5 s. */
const GONE_MS = 1_500;

export interface PresenceOptions {
  readonly url: string;
  readonly processId: string;
  readonly everyMs: number;
  readonly connections?: () => readonly LongConnectionStatus[];
  readonly troubles?: () => readonly Trouble[];
}

export interface PresenceAtHand {
  readonly presence: Presence;
  readonly processes: Processes;
  close(): void;
}

export async function newPresence(options: PresenceOptions): Promise<PresenceAtHand> {
  const redis = createRedis('store', { url: options.url, onError: () => undefined, onState: () => undefined });
  await redis.connect();
  const processes = createProcesses({ redis, keys: storeKeys('test'), goneMs: GONE_MS });
  const presence = createPresence({
    connections: () => [],
    troubles: () => [],
    ...options,
    processes,
    version: '1.2.3',
    roles: ['gateway'],
    stalledQueues: () => [],
    spoolEntries: async () => 0,
    isRedisUp: () => redis.status === 'ready',
    gate: createFloodGate({ logger: pino({ level: 'silent' }), clock: Date.now, everyMs: 1_000 }),
    now: Date.now,
  });
  return { presence, processes, close: () => redis.disconnect() };
}
