/**
 * Waits for the outcomes of redirects: not longer than a browser waits, not too many at once, and not while the server
 * is to close. Who is no longer waited for goes on; the same address shows the result.
 */
import type { Logger } from 'pino';
import type { ReceiveRedirect, RedirectOutcome, RedirectQuery } from '../../domain/redirect.js';
import { faultFields } from '../fault-fields.js';
import type { CallbackLimits } from './ports.js';

/** `waiting`: there is no outcome yet; `closing`: nor will there be one before this server is gone. */
export type Awaited = RedirectOutcome | { readonly kind: 'waiting' | 'closing' };

export interface Outcomes {
  /** Never rejects. */
  of(query: RedirectQuery): Promise<Awaited>;
  /** From now on waits end after the grace time. */
  close(): void;
}

export interface OutcomesDeps {
  readonly receiveRedirect: ReceiveRedirect;
  readonly limits: Pick<CallbackLimits, 'outcomeTimeoutMs' | 'closeGraceMs' | 'maxWaiting'>;
  readonly logger: Logger;
}

export function createOutcomes({ limits, logger, receiveRedirect }: OutcomesDeps): Outcomes {
  const waiting = new Set<() => void>();
  let isClosing = false;

  const receive = async (query: RedirectQuery): Promise<RedirectOutcome> => {
    try {
      return await receiveRedirect(query);
    } catch (error) {
      const line = { event: 'callback.failed', ...faultFields(error) };
      logger.error(line, 'A redirect could not be judged, by a fault of ours');
      return { kind: 'unavailable' };
    }
  };

  return {
    of(query) {
      if (waiting.size >= limits.maxWaiting) return Promise.resolve({ kind: 'unavailable' });
      return new Promise((resolve) => {
        let timer: NodeJS.Timeout;
        const settle = (outcome: Awaited): void => {
          clearTimeout(timer);
          waiting.delete(hurry);
          resolve(outcome);
        };
        const giveUpAfter = (ms: number, kind: 'waiting' | 'closing'): void => {
          clearTimeout(timer);
          timer = setTimeout(settle, ms, { kind });
        };
        const hurry = (): void => giveUpAfter(limits.closeGraceMs, 'closing');
        waiting.add(hurry);
        if (isClosing) hurry();
        else giveUpAfter(limits.outcomeTimeoutMs, 'waiting');
        void receive(query).then(settle);
      });
    },
    close() {
      isClosing = true;
      for (const hurry of waiting) hurry();
    },
  };
}
