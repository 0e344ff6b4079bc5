/**
 * Values sealed with a former key are sealed again with the first one, a slice of time now and then, so that nothing
 * else waits for it. Says how far it is and which keys nothing uses any more. The walk itself is store/reseal.ts.
 *
 * No job of a queue: only a process that has the key everything is to be sealed with in front can do it, and a queue
 * gives its jobs to any. So each process looks by itself, and the walk's lease lets one of them work at a time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ResealPass } from '../domain/keyring.js';
import type { Reseal, ResealProgress } from '../store/reseal.js';

export interface ResealSliceDeps {
  readonly reseal: Reseal;
  /** Milliseconds; any origin. */
  readonly now: () => number;
  readonly logger: Logger;
}

/** A slice is no longer than this, and of that time only a part: it leaves Redis and the process to others. */
const SLICE_MS = 2_000;
const SHARE = 1 / 3;
const LEAST_PAUSE_MS = 5;
const PROGRESS_EVERY_MS = 15_000;

/** One slice. Does nothing while another process is at it. The caller runs one at a time. */
export function createResealSlice(deps: ResealSliceDeps): (signal: AbortSignal) => Promise<void> {
  const { logger, now, reseal } = deps;
  let isWaiting = false;
  let said: { readonly pass: string; readonly at: number } | null = null;

  const sayWait = (keyId: string): void => {
    if (isWaiting) return;
    isWaiting = true;
    const fields = { event: 'keyring.reseal_waits', target_key_id: keyId };
    logger.warn(
      fields,
      `A running process does not know key "${keyId}": nothing is re-sealed before it does, or is gone for 3 minutes`,
    );
  };

  const sayProgress = (pass: ResealPass): void => {
    const name = `${pass.targetKeyId} ${pass.number}`;
    if (said?.pass === name && now() - said.at < PROGRESS_EVERY_MS) return;
    said = { pass: name, at: now() };
    logger.info(
      { event: 'keyring.reseal_progress', ...progressFields(pass) },
      'Values of former keys are sealed again',
    );
  };

  const sayResult = ({ dropped, pass }: ResealProgress): void => {
    logger[pass.changed || dropped.length > 0 ? 'info' : 'debug'](
      { event: 'keyring.resealed', ...progressFields(pass), found: pass.found },
      'A walk over all sealed values has ended',
    );
    for (const [keyId, values] of Object.entries(pass.left)) {
      const fields = { event: 'keyring.key_missing', key_id: keyId, values };
      logger.error(fields, `Values are sealed with key "${keyId}", which is not configured: add it again`);
    }
    for (const keyId of dropped) {
      const fields = { event: 'keyring.key_removable', key_id: keyId };
      logger.info(fields, `Nothing uses key "${keyId}" any more: it may be removed from TOKEN_ENCRYPTION_KEYS`);
    }
  };

  const begin = async (): Promise<ResealPass | null> => {
    const begun = await reseal.begin();
    if (begun.kind === 'wait') sayWait(begun.keyId);
    if (begun.kind !== 'go') return null;
    isWaiting = false;
    return begun.pass;
  };

  return async (signal) => {
    const endsAt = now() + SLICE_MS;
    let pass = await begin();
    if (pass === null) return;
    while (pass !== null && !signal.aborted && now() < endsAt) {
      const startedAt = now();
      sayProgress(pass);
      const progress: ResealProgress | null = await reseal.step(pass);
      if (progress === null) return;
      if (progress.isOver) sayResult(progress);
      pass = progress.isOver ? await begin() : progress.pass;
      const pauseMs = Math.max(LEAST_PAUSE_MS, (now() - startedAt) * (1 / SHARE - 1));
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
    await reseal.release();
  };
}

const progressFields = (pass: ResealPass) => ({
  target_key_id: pass.targetKeyId,
  pass: pass.number,
  done: pass.done,
  total: pass.total,
  percent: pass.total === 0 ? 100 : Math.floor((100 * pass.done) / pass.total),
  resealed: pass.resealed,
  damaged: pass.aside,
});
