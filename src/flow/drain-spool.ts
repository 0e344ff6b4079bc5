/** Hands what waits in the spool to the store: tokens of a consent to their session, successors to their grant. */
import type { Logger } from 'pino';
import type { GrantVault } from '../store/grant-vault.js';
import type { Spool, SpooledConsent, SpoolVerdict } from '../store/spool.js';
import type { Successors } from './successors.js';

export interface DrainSpoolDeps {
  readonly spool: Pick<Spool, 'drain'>;
  readonly vault: Pick<GrantVault, 'keep'>;
  readonly successors: Pick<Successors, 'take'>;
  readonly pollNow: (sessionId: string, linkNumber: number) => Promise<void>;
  readonly logger: Logger;
}

/** Rejects when Redis does not take them; they stay. */
export function createDrainSpool(deps: DrainSpoolDeps): () => Promise<void> {
  const { logger, vault } = deps;

  const takeConsent = async ({ linkNumber, sessionId, tokens }: SpooledConsent): Promise<SpoolVerdict> => {
    const verdict = await vault.keep(sessionId, linkNumber, tokens);
    const fields = { event: 'token.unspooled', session_id: sessionId, verdict };
    logger.info(fields, 'Spooled tokens were handed to the store');
    if (verdict === 'kept') await deps.pollNow(sessionId, linkNumber);
    return 'drop';
  };

  return async () => {
    const count = await deps.spool.drain((entry) =>
      entry.kind === 'grant' ? deps.successors.take(entry) : takeConsent(entry),
    );
    if (count > 0) logger.debug({ event: 'spool.drained', entries: count }, 'Entries left the spool');
  };
}
