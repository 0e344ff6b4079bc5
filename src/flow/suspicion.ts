/**
 * Finds out whether a grant still works after Feishu has told of a withdrawal (FEISHU.md §3.4). While the access token
 * lives, user_info knows, and nothing is refreshed: our own rotation may have been what Feishu told of. A dead one is
 * refreshed once. Only Feishu's final word ends the grant; no answer leaves the suspicion for later.
 */
import type { Logger } from 'pino';
import { FeishuError } from '../domain/feishu-error.js';
import type { GrantMarks, StoredGrant } from '../domain/grant.js';
import type { FailureDetail } from '../domain/session.js';
import type { RefreshStore } from '../store/refresh-store.js';
import type { GrantEnds } from './grant-ends.js';
import type { Refresh } from './refresh.js';

/** `works`; `over`: it has ended; `later`: nobody knows yet. */
export type Verified = { readonly kind: 'works' | 'over' } | { readonly kind: 'later'; readonly retryAfterMs: number };

export interface Suspect {
  readonly appId: string;
  readonly openId: string;
  readonly now: number;
  readonly stored: StoredGrant;
  readonly marks: GrantMarks;
}

export interface SuspicionDeps {
  /** @throws FeishuError */
  readonly userInfo: (appId: string, accessToken: string) => Promise<unknown>;
  readonly refresh: Pick<Refresh, 'run'>;
  readonly ends: Pick<GrantEnds, 'withdrawn' | 'left'>;
  readonly store: Pick<RefreshStore, 'trust'>;
  readonly logger: Logger;
}

const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
const ENDED: FailureDetail = {
  remedy: 'Feishu tells of a withdrawal, and the access token has ended. The user may authorize again.',
  for: 'user',
};

export function createSuspicion(deps: SuspicionDeps): (suspect: Suspect) => Promise<Verified> {
  const { ends, logger, store } = deps;

  const works = async ({ appId, openId }: Suspect, by: 'user_info' | 'refresh'): Promise<Verified> => {
    await store.trust(appId, openId);
    const fields = { event: 'grant.trusted', app_id: appId, open_id: openId, by };
    logger.info(fields, 'The grant still works: what Feishu told was about something else');
    return { kind: 'works' };
  };

  /** The longer it has been so, the longer the pause. */
  const later = ({ appId, marks, now, openId }: Suspect, error: FeishuError): Verified => {
    const age = now - (marks.suspectAt ?? now);
    const pause = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, age / 2));
    const retryAfterMs = Math.round(Math.max(error.retryAfterMs ?? 0, pause));
    const ids = { app_id: appId, open_id: openId, feishu_code: error.feishuCode, log_id: error.logId };
    const fields = { event: 'grant.not_verified', ...ids, kind: error.kind, retry_in_ms: retryAfterMs };
    logger.warn(fields, 'Whether a grant still works cannot be found out now; it is tried again');
    return { kind: 'later', retryAfterMs };
  };

  /** The access token is dead: the refresh token may have been left alone. */
  const refreshOnce = async (suspect: Suspect, detail: FailureDetail): Promise<Verified> => {
    const { appId, openId, stored } = suspect;
    const { generation, grant } = stored;
    if (grant.tokens.refreshToken === null) {
      await ends.withdrawn({ appId, openId, generation }, grant, detail);
      return { kind: 'over' };
    }
    const outcome = await deps.refresh.run({ appId, openId, seen: generation, force: true });
    if (outcome.kind === 'fresh') return await works(suspect, 'refresh');
    return outcome.kind === 'over' ? { kind: 'over' } : { kind: 'later', retryAfterMs: outcome.retryAfterMs };
  };

  return async (suspect) => {
    const { appId, now, openId, stored } = suspect;
    const { tokens } = stored.grant;
    if (tokens.expiresAt <= now) return await refreshOnce(suspect, ENDED);
    try {
      await deps.userInfo(appId, tokens.accessToken);
    } catch (error) {
      if (!(error instanceof FeishuError)) throw error;
      if (error.kind === 'refused' && error.meaning === 'token_invalid') {
        return await refreshOnce(suspect, error.toFailureDetail());
      }
      if (error.kind !== 'refused' || error.meaning !== 'user_left') return later(suspect, error);
      await ends.left({ appId, openId, generation: stored.generation }, stored.grant, error.toFailureDetail());
      return { kind: 'over' };
    }
    return await works(suspect, 'user_info');
  };
}
