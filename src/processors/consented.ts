/**
 * Fresh tokens of a consent, whichever grant brought them: kept before anything else happens, in the spool when Redis
 * will not take them, then settled.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { again, DONE, type JobOutcome } from '../domain/job.js';
import { idsOf } from '../domain/log-ids.js';
import type { Session } from '../domain/session.js';
import type { TokenSet } from '../domain/token-set.js';
import type { GrantVault } from '../store/grant-vault.js';
import type { Spool } from '../store/spool.js';
import type { Settle } from './settle.js';

export type Consented = (session: Session, tokens: TokenSet) => Promise<JobOutcome>;

export interface ConsentedDeps {
  readonly vault: Pick<GrantVault, 'keep'>;
  readonly spool: Pick<Spool, 'write'>;
  readonly settle: Settle;
  readonly now: () => number;
  readonly logger: Logger;
}

type Kept = 'kept' | 'dropped' | 'unknown' | 'spooled';

/** Between tries to keep tokens that neither Redis nor the spool has taken. */
const KEEP_AGAIN_MS = 500;
/** The spool is drained every second while Redis takes writes. */
export const SPOOL_WAIT_MS = 1_000;

export function createConsented(deps: ConsentedDeps): Consented {
  const { logger } = deps;

  const keepOnce = async (session: Session, tokens: TokenSet): Promise<Kept> => {
    try {
      return await deps.vault.keep(session.sessionId, session.linkNumber, tokens);
    } catch (error) {
      await deps.spool.write({ sessionId: session.sessionId, linkNumber: session.linkNumber, tokens });
      const fields = { event: 'token.spooled', ...idsOf(session), err: error };
      logger.warn(fields, 'Redis does not take fresh tokens; they wait in the spool');
      return 'spooled';
    }
  };

  /** Store or spool, whichever takes them: until then they live in this process only, which says so. */
  const keep = async (session: Session, tokens: TokenSet): Promise<Kept> => {
    for (;;) {
      try {
        return await keepOnce(session, tokens);
      } catch (error) {
        const fields = { event: 'token.not_kept', ...idsOf(session), err: error };
        logger.error(
          fields,
          'Neither Redis nor the spool takes fresh tokens; do not stop this process. Check STATE_DIR',
        );
        if (tokens.expiresAt <= deps.now()) throw error;
        await sleep(KEEP_AGAIN_MS);
      }
    }
  };

  return async (session, tokens) => {
    switch (await keep(session, tokens)) {
      case 'kept':
        return await deps.settle(session);
      case 'spooled':
        return again(SPOOL_WAIT_MS);
      case 'dropped':
      case 'unknown':
        logger.info({ event: 'token.discarded', ...idsOf(session) }, 'Consent came after the end; its tokens are gone');
        return DONE;
    }
  };
}
