/**
 * The book of running processes: each tells of itself again and again, all can read what the others have told. One that
 * was killed goes out of it by itself. What is told, and how often, is the teller's business.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { ProcessNote, SeenProcess } from '../domain/fleet.js';
import type { StoreKeys } from './keys.js';
import { farewellScript, tellScript, whoScript } from './scripts/processes.js';

/** A process that was not heard of for so long is gone. */
const GONE_MS = 35_000;
/** Feishu takes 50 long connections of an app; more processes than that are not looked at. */
const MOST = 64;
const FAREWELL_MS = 300;

export interface Processes {
  tell(note: ProcessNote): Promise<void>;
  /** Those that run, ourselves included, in the order of their start. */
  list(): Promise<SeenProcess[]>;
  /** We stop. Never rejects, and takes no longer than a moment. */
  leave(processId: string): Promise<void>;
}

export interface ProcessesDeps {
  readonly redis: Redis;
  readonly keys: Pick<StoreKeys, 'processes' | 'processesSeen'>;
  /** Milliseconds; only tests shorten it. */
  readonly goneMs?: number;
}

export function createProcesses({ goneMs = GONE_MS, keys, redis }: ProcessesDeps): Processes {
  const both = [keys.processes, keys.processesSeen];
  return {
    async tell(note) {
      await tellScript(redis, both, [note.id, JSON.stringify(note), goneMs]);
    },
    async list() {
      const flat = (await whoScript(redis, both, [goneMs, MOST])) as (string | number)[];
      const seen = flat.flatMap((silent, i) => {
        if (i % 2 === 1) return [];
        return [{ ...(JSON.parse(String(flat[i + 1])) as ProcessNote), silentMs: Math.max(0, Number(silent)) }];
      });
      return seen.sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1));
    },
    async leave(processId) {
      if (redis.status !== 'ready') return;
      const left = farewellScript(redis, both, [processId]).catch(() => undefined);
      await Promise.race([left, sleep(FAREWELL_MS, undefined, { ref: false })]);
    },
  };
}
