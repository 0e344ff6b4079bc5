/**
 * Asks a user again because her grant has ended, or will soon: the same card as for other requests, for the client that
 * was given the grant last, with the scopes she had given. A card that is still waiting for her is enough.
 */

import type { Logger } from 'pino';
import type { AskRequest, AskResult } from '../domain/ask.js';
import type { Grant } from '../domain/grant.js';
import { MAX_SCOPES, withOfflineAccess } from '../domain/scopes.js';
import { AuthdError } from '../errors.js';

/** `later`: not now, it may work another time. */
export type AskAgain = (
  appId: string,
  openId: string,
  grant: Grant,
  why: string,
) => Promise<'asked' | 'refused' | 'later'>;

export interface AskAgainDeps {
  readonly ask: (request: AskRequest) => Promise<AskResult>;
  readonly logger: Logger;
}

const TTL_SECONDS = 86_400;

export function createAskAgain({ ask, logger }: AskAgainDeps): AskAgain {
  return async (appId, openId, grant, why) => {
    const ids = { app_id: appId, open_id: openId, why };
    const clientId = grant.clientIds.at(-1);
    if (clientId === undefined) return 'refused';
    try {
      const result = await ask({
        clientId,
        appId,
        openId,
        scopes: withOfflineAccess(grant.tokens.scopes).slice(0, MAX_SCOPES),
        reason: null,
        chatId: null,
        ttlSeconds: TTL_SECONDS,
        metadata: {},
        force: true,
        idempotency: null,
      });
      const sessionId = result.kind === 'already_authorized' ? undefined : result.session.sessionId;
      logger.info(
        { event: 'grant.asked_again', ...ids, client_id: clientId, session_id: sessionId },
        'The user is asked again',
      );
      return 'asked';
    } catch (error) {
      if (!(error instanceof AuthdError)) throw error;
      const isFinal = error.code === 'user_unreachable' || error.code === 'open_id_of_other_app';
      const fields = { event: 'grant.not_asked', ...ids, client_id: clientId, err: error };
      logger.warn(fields, 'The user cannot be asked again now');
      return isFinal ? 'refused' : 'later';
    }
  };
}
