/**
 * Queue `maintenance`: the reconciler makes missing jobs again (a crash between record and job, a lost queue), and ended
 * sessions are deleted after their retention. Repairs are counted and said.
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
/** Looked at side by side. */
const BATCH = 20;
/** A session with work on the way is looked at again soon, one that only waits for its user rarely. */
const BUSY_LOOK_MS = 10_000;
const IDLE_LOOK_MS = 60_000;

/**
 * Walks the open sessions of an app that are due for a look, or (`all`) every one of them. Returns how many jobs were
 * made again.
 */
export async function reconcile(
  deps: MaintenanceDeps,
  appId: string,
  options: { readonly all: boolean; readonly signal?: AbortSignal },
): Promise<number> {
  let repaired = 0;
  const seen = new Set<string>();
  while (options.signal?.aborted !== true) {
    const found = await deps.sessions.open(appId, options.all ? null : QUIET_MS, BATCH);
    const ids = found.filter((id) => !seen.has(id));
    if (ids.length === 0) return repaired;
    for (const id of ids) seen.add(id);
    const counts = await Promise.all(ids.map((id) => repair(deps, id)));
    repaired += counts.reduce((sum, count) => sum + count, 0);
  }
  return repaired;
}

/** When the reconciler looks at a session again, unless it changes before. */
function nextLookMs(duties: readonly Duty[]): number {
  const expiry = duties.find((duty) => duty.kind === 'expiry');
  if (duties.some((duty) => duty.kind !== 'expiry') || expiry === undefined) return BUSY_LOOK_MS;
  return Math.min(IDLE_LOOK_MS, expiry.delayMs + QUIET_MS);
}

async function repair(deps: MaintenanceDeps, sessionId: string): Promise<number> {
  try {
    const session = await deps.sessions.get(sessionId);
    const duties: Duty[] = session === null ? [{ kind: 'card', sessionId }] : dutiesOf(session, deps.now());
    await deps.sessions.lookAgain(sessionId, nextLookMs(duties));
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
      if (job.name === RECONCILE) await reconcile(deps, appId, { all: false, signal: job.signal });
      if (job.name === CLEANUP) {
        const deleted = await deps.sessions.cleanup(appId, deps.retentionMs, job.signal);
        const fields = { event: 'sessions.cleaned', app_id: appId, deleted };
        if (deleted > 0) deps.logger.info(fields, 'Ended sessions were deleted after their retention');
      }
    }
    return DONE;
  };
}
