/**
 * Queue `maintenance`: the reconciler makes missing jobs again (a crash between record and job, a lost queue), and
 * ended sessions are deleted after their retention. Repairs are counted and said.
 */
import type { Logger } from 'pino';
import { type Duty, dutiesOf } from '../domain/duties.js';
import { DONE, type Processor } from '../domain/job.js';
import { AuthdError } from '../errors.js';
import type { SessionStore } from '../store/session-store.js';

export const RECONCILE = 'reconcile';
export const CLEANUP = 'cleanup';

export interface MaintenanceDeps {
  readonly appIds: readonly string[];
  readonly sessions: SessionStore;
  /** Which of these have no job, and making one. */
  readonly jobs: { missing(duties: readonly Duty[]): Promise<Duty[]>; ensure(duty: Duty): Promise<void> };
  readonly retentionMs: number;
  readonly now: () => number;
  readonly logger: Logger;
}

/** Sessions that were touched just now have their jobs on the way. */
const QUIET_MS = 5_000;
const BATCH = 200;

/** Walks every open session once. Returns how many jobs were made again. */
export async function reconcile(deps: MaintenanceDeps, appId: string, quietMs: number): Promise<number> {
  let repaired = 0;
  const seen = new Set<string>();
  for (;;) {
    const ids = (await deps.sessions.open(appId, quietMs, BATCH)).filter((id) => !seen.has(id));
    if (ids.length === 0) return repaired;
    for (const id of ids) {
      seen.add(id);
      repaired += await repair(deps, id);
      await deps.sessions.touch(id);
    }
  }
}

async function repair(deps: MaintenanceDeps, sessionId: string): Promise<number> {
  try {
    const session = await deps.sessions.get(sessionId);
    const duties: Duty[] = session === null ? [{ kind: 'card', sessionId }] : dutiesOf(session, deps.now());
    const missing = await deps.jobs.missing(duties);
    for (const duty of missing) {
      await deps.jobs.ensure(duty);
      const fields = { event: 'reconciler.repaired', session_id: sessionId, job: duty.kind };
      deps.logger.info(fields, 'A missing job was made again');
    }
    return missing.length;
  } catch (error) {
    // A damaged record is left aside; a store that does not answer ends the walk, the next one goes on.
    if (!(error instanceof AuthdError)) throw error;
    const fields = { event: 'reconciler.failed', session_id: sessionId, err: error };
    deps.logger.error(fields, 'A session could not be looked after');
    return 0;
  }
}

export function createMaintenanceProcessor(deps: MaintenanceDeps): Processor {
  return async (job) => {
    for (const appId of deps.appIds) {
      if (job.signal.aborted) break;
      if (job.name === RECONCILE) await reconcile(deps, appId, QUIET_MS);
      if (job.name === CLEANUP) {
        const deleted = await deps.sessions.cleanup(appId, deps.retentionMs, job.signal);
        const fields = { event: 'sessions.cleaned', app_id: appId, deleted };
        if (deleted > 0) deps.logger.info(fields, 'Ended sessions were deleted after their retention');
      }
    }
    return DONE;
  };
}
