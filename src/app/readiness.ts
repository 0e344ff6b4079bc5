/** What `/readyz` looks at, by the roles of this process. Every look has a limit. */
import type { Redis } from 'ioredis';
import type { Role } from '../config/config.js';
import { judgeReadiness, type ReadinessPart, type ReadinessReport } from '../domain/readiness.js';
import type { LongConnectionStatus } from '../feishu/long-connection/status.js';

export interface ReadinessDeps {
  readonly roles: readonly Role[];
  readonly redis: Redis;
  readonly probeKey: string;
  /** null until the store has been checked. */
  readonly started: () => boolean;
  readonly connections: () => readonly LongConnectionStatus[];
  readonly stalledQueues: () => readonly string[];
  readonly now: () => number;
}

/** A reconnection shorter than this is no reason to alarm anybody (CONTRACT §5). */
const RECONNECTING_MS = 15_000;
const PROBE_MS = 1_000;

export function createReadiness(deps: ReadinessDeps): (appId?: string) => Promise<ReadinessReport> {
  /** A write, because a Redis that is full or a replica answers reads. */
  const redisPart = async (): Promise<ReadinessPart> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve('Redis does not answer'), PROBE_MS);
    });
    const write = deps.redis.set(deps.probeKey, '1', 'EX', 60).then(
      () => '',
      (error: unknown) => {
        // OOM, READONLY, MISCONF …: what Redis says; anything else is about the way to it.
        const code = error instanceof Error ? /^[A-Z]{3,}\b/.exec(error.message)?.[0] : undefined;
        return code === undefined ? 'Redis does not answer' : `Redis takes no writes: ${code}`;
      },
    );
    const detail = await Promise.race([write, late]);
    clearTimeout(timer);
    return { part: 'redis', ok: detail === '', detail };
  };

  const connectionPart = (status: LongConnectionStatus): ReadinessPart => {
    const downMs = deps.now() - status.since;
    const brief = status.state === 'reconnecting' && downMs < RECONNECTING_MS;
    const ok = status.state === 'connected' || brief;
    const why = status.lastError === null ? '' : `: ${status.lastError.message}`;
    const detail = ok ? '' : `${status.state} for ${Math.round(downMs / 1000)} s${why}`;
    return { part: 'long_connection', appId: status.appId, ok, detail };
  };

  return async (appId) => {
    const parts: ReadinessPart[] = [await redisPart()];
    const started = deps.started();
    if (!started) parts.push({ part: 'start', ok: false, detail: 'Redis has not been reached since the start' });
    if (deps.roles.includes('gateway')) {
      const statuses = deps.connections().filter((status) => appId === undefined || status.appId === appId);
      parts.push(...statuses.map(connectionPart));
    }
    if (deps.roles.includes('worker') && started) {
      const stalled = deps.stalledQueues();
      const detail = stalled.length === 0 ? '' : `no progress: ${stalled.join(', ')}`;
      parts.push({ part: 'workers', ok: stalled.length === 0, detail });
    }
    return judgeReadiness(parts);
  };
}
