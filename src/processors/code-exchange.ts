/**
 * The code that her browser has brought back, traded for tokens (RFC 6749 §4.1.3; FEISHU.md §6.2). Runs in queue
 * `device-poll`, so it survives a crash and waits for Feishu; the page that brought the code waits for its outcome.
 * A lost answer is asked for again with the same code: Feishu then says that it was used, and she consents once more.
 */
import type { Logger } from 'pino';
import type { AppConfig } from '../config/config.js';
import { again, DONE, type JobOutcome } from '../domain/job.js';
import { idsOf } from '../domain/log-ids.js';
import { CODE_LIFE_MS, type CodeLink, type FailureDetail, type ReceivedCode, type Session } from '../domain/session.js';
import type { TokenEndpoint } from '../oauth/token-endpoint.js';
import type { RedirectStore } from '../store/redirect-store.js';
import type { Consented } from './consented.js';
import type { Refused } from './refused.js';

/** `now`: milliseconds by Redis's clock. */
export type ExchangeCode = (session: Session, link: CodeLink, now: number) => Promise<JobOutcome>;

export interface CodeExchangeDeps {
  readonly redirects: Pick<RedirectStore, 'dropCode' | 'holdCode'>;
  readonly consented: Consented;
  readonly refused: Refused;
  readonly app: (appId: string) => AppConfig | undefined;
  readonly tokenEndpoint: Pick<TokenEndpoint, 'exchangeCode'>;
  readonly timeoutMs: number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

/** A code that Feishu calls expired after this long was held up by us, not brought late. */
const OUR_DELAY_MS = 15_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;

const TOO_LATE: FailureDetail = {
  remedy: 'Feishu could not be reached while the code of the consent was valid (5 minutes). Start again.',
  for: 'user',
};
const NO_APP: FailureDetail = {
  remedy:
    'The app of this session is not configured, or not enabled, so the code of the consent could not be traded while ' +
    'it was valid (5 minutes). Correct the configuration, then start again.',
  for: 'operator',
};

export function createCodeExchange(deps: CodeExchangeDeps): ExchangeCode {
  const { logger, redirects } = deps;

  const useless = async (session: Session, link: CodeLink, detail: FailureDetail): Promise<JobOutcome> => {
    if (await redirects.dropCode(session.sessionId, link, detail)) {
      const feishu = { feishu_code: detail.feishu_code, log_id: detail.log_id };
      const fields = { event: 'redirect.code_useless', ...idsOf(session), link_number: link.number, ...feishu };
      logger.warn(fields, `A code brought no tokens, the link can be used again: ${detail.remedy}`);
    }
    return DONE;
  };

  const exchange = async (
    session: Session,
    link: CodeLink,
    { received, now }: { received: ReceivedCode; now: number },
  ): Promise<JobOutcome> => {
    const app = deps.app(session.appId);
    const age = now - received.receivedAt;
    if (age > CODE_LIFE_MS) return await deps.refused(session, app === undefined ? NO_APP : TOO_LATE, 'code_expired');
    // Another process of the fleet may be configured with that app; this one is not.
    if (app === undefined) return again(1_000);
    // The token set's times are told by Redis's clock.
    const begunAt = performance.now();
    const answer = await deps.tokenEndpoint.exchangeCode({
      app,
      code: received.code,
      codeVerifier: received.codeVerifier,
      redirectUri: received.redirectUri,
      askedScopes: session.scopes,
      timeoutMs: deps.timeoutMs,
      now: () => now + Math.round(performance.now() - begunAt),
    });
    switch (answer.kind) {
      case 'tokens':
        return await deps.consented(session, answer.tokenSet);
      case 'useless': {
        if (answer.expired && age > OUR_DELAY_MS) {
          return await deps.refused(session, { ...answer.detail, ...TOO_LATE }, 'code_expired');
        }
        return await useless(session, link, answer.detail);
      }
      case 'refused':
        return await deps.refused(session, answer.detail);
      case 'transient': {
        const feishu = { feishu_code: answer.detail.feishu_code, log_id: answer.detail.log_id };
        const fields = { event: 'redirect.exchange_waits', ...idsOf(session), ...feishu, age_ms: age };
        logger.warn(fields, 'Feishu does not trade the code right now; it is tried again');
        const pause = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, age / 2)) * (0.8 + 0.4 * deps.random());
        // The end of the code is the last thing to wait for.
        const pauseMs = Math.min(Math.max(answer.retryAfterMs ?? 0, pause), CODE_LIFE_MS - age + 1);
        await redirects.holdCode(session.sessionId, link, pauseMs + deps.timeoutMs);
        return again(pauseMs);
      }
    }
  };

  return async (session, link, now) =>
    link.received === null ? DONE : await exchange(session, link, { received: link.received, now });
}
