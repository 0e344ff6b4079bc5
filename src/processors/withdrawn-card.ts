/**
 * Tells a user that her authorization was withdrawn: a message of its own, once (FEISHU.md §4.2). One attempt a call;
 * says whether it is settled or to be tried again. Owns no state: the note that it is owed is in the store.
 */
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { CardKind } from '../config/config.js';
import { FeishuError } from '../domain/feishu-error.js';
import type { CardRenderer } from '../feishu/cards/card-renderer.js';
import type { OpenApi } from '../feishu/open-api/open-api.js';

export interface OwedNotice {
  readonly appId: string;
  readonly openId: string;
  readonly clientIds: readonly string[];
  /** When it was withdrawn, and now: milliseconds of Redis's clock. */
  readonly at: number;
  readonly now: number;
}

/** `settled`: sent, or not to be sent any more. */
export type Told = { readonly kind: 'settled' } | { readonly kind: 'later'; readonly retryAfterMs: number };
export type TellWithdrawn = (notice: OwedNotice) => Promise<Told>;

export interface TellWithdrawnDeps {
  readonly renderer: Pick<CardRenderer, 'withdrawn' | 'withdrawnMessage'>;
  readonly messages: (appId: string) => Pick<OpenApi, 'sendCard' | 'sendPost'> | undefined;
  /** How the users of this app are told. */
  readonly kindOf: (appId: string) => CardKind | undefined;
  readonly logger: Logger;
}

const SETTLED: Told = { kind: 'settled' };
const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 600_000;
/** The app is not configured in this process; another of the fleet may have it. */
const APP_ELSEWHERE_MS = 5_000;
/** News so old would only puzzle her. */
const LIFE_MS = 72 * 3_600_000;

export function createTellWithdrawn({ kindOf, logger, messages, renderer }: TellWithdrawnDeps): TellWithdrawn {
  return async (notice) => {
    const { appId, at, now, openId } = notice;
    const ids = { app_id: appId, open_id: openId };
    const ofApp = messages(appId);
    if (ofApp === undefined) return { kind: 'later', retryAfterMs: APP_ELSEWHERE_MS };
    try {
      const to = { receiveIdType: 'open_id', receiveId: openId, uuid: uuidOf(notice) } as const;
      const sent =
        kindOf(appId) === 'link'
          ? await ofApp.sendPost({ ...to, post: renderer.withdrawnMessage(notice) })
          : await ofApp.sendCard({ ...to, card: renderer.withdrawn(notice) });
      const fields = { event: 'grant.withdrawal_told', ...ids, message_id: sent.messageId };
      logger.info(fields, 'The user was told that her authorization was withdrawn');
      return SETTLED;
    } catch (error) {
      if (!(error instanceof FeishuError)) throw error;
      const line = { event: 'grant.withdrawal_not_told', ...ids, feishu_code: error.feishuCode, log_id: error.logId };
      if (endsSending(error) || now - at > LIFE_MS) {
        logger.warn({ ...line, err: error }, 'The user cannot be told that her authorization was withdrawn');
        return SETTLED;
      }
      const pause = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, (now - at) / 2));
      const retryAfterMs = Math.round(Math.max(error.retryAfterMs ?? 0, pause));
      const fields = { ...line, kind: error.kind, retry_in_ms: retryAfterMs, err: error };
      logger.warn(fields, 'The user could not be told yet that her authorization was withdrawn');
      return { kind: 'later', retryAfterMs };
    }
  };
}

/** A repeat gets the same answer; what an operator can mend (console, credentials) is tried again. */
const endsSending = ({ api, kind, meaning }: FeishuError): boolean =>
  kind === 'refused' &&
  !api.startsWith('auth.') &&
  (meaning === 'unreachable' || meaning === 'gone' || meaning === 'bug');

/** Feishu sends at most one message per uuid within an hour: a repeat after a crash is no second card. */
const uuidOf = ({ appId, at, openId }: OwedNotice): string =>
  createHash('sha256').update(`withdrawn ${appId} ${openId} ${at}`).digest('hex').slice(0, 40);
