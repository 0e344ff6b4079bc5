/**
 * Queue `card-action`: makes the consent link that a click has claimed (ARCHITECTURE §2 steps 4 and 5), by the grant of
 * the app. Two device codes may be made when a step is repeated, never two stored or shown.
 */
import type { Logger } from 'pino';
import type { AppConfig } from '../config/config.js';
import { again, DONE, type JobOutcome, linkOf, type Processor } from '../domain/job.js';
import { idsOf } from '../domain/log-ids.js';
import type { Metrics } from '../domain/metrics.js';
import { covers, MAX_SCOPES, missingFrom, union, withOfflineAccess } from '../domain/scopes.js';
import type { FailureDetail, Session } from '../domain/session.js';
import { AuthdError } from '../errors.js';
import type { AuthorizationServer } from '../oauth/authorization-server.js';
import type { Producer } from '../queue/producer.js';
import type { GrantVault } from '../store/grant-vault.js';
import type { SessionStore } from '../store/session-store.js';
import { reasonFor } from './session-words.js';

export interface CardActionDeps {
  readonly sessions: SessionStore;
  readonly vault: Pick<GrantVault, 'look'>;
  readonly producer: Producer;
  readonly app: (appId: string) => AppConfig | undefined;
  readonly authorizationServer: AuthorizationServer;
  readonly metrics: Pick<Metrics, 'sessionFailed'>;
  readonly logger: Logger;
}

const TIMEOUT_MS = 5_000;

export function createCardActionProcessor(deps: CardActionDeps): Processor {
  const { sessions, producer, logger } = deps;

  const store = async (session: Session, answer: OkAnswer): Promise<void> => {
    const { sessionId, linkNumber } = session;
    const link = {
      grant: 'device_code' as const,
      number: linkNumber,
      deviceCode: answer.deviceCode,
      userCode: answer.userCode,
      verificationUri: answer.verificationUri,
      verificationUriComplete: answer.verificationUriComplete,
      intervalSeconds: answer.intervalSeconds,
      lifeSeconds: answer.expiresInSeconds,
      expiresAt: 0, // Redis's clock decides; the store fills it in
    };
    const stored = await sessions.storeLink(sessionId, link, answer.expiresInSeconds * 1000);
    if (!stored) return;
    const life = { link_number: linkNumber, expires_in: answer.expiresInSeconds, interval: answer.intervalSeconds };
    logger.info({ event: 'link.created', ...idsOf(session), ...life }, 'A consent link was made');
    await producer.poll(sessionId, linkNumber, answer.intervalSeconds * 1000);
    await producer.cardUpdate(sessionId);
  };

  /** Made without Feishu: its address follows from the session. */
  const storeCodeLink = async (session: Session): Promise<void> => {
    const { expiresAt, linkNumber, sessionId } = session;
    const link = { grant: 'authorization_code' as const, number: linkNumber, expiresAt, received: null };
    if (!(await sessions.storeLink(sessionId, link, 0))) return;
    logger.info({ event: 'link.created', ...idsOf(session), link_number: linkNumber }, 'A consent link was made');
    await producer.cardUpdate(sessionId);
  };

  const misconfigured = async (session: Session, detail: FailureDetail): Promise<JobOutcome> => {
    const reason = reasonFor(detail);
    if (await sessions.fail(session.sessionId, reason, detail)) {
      const fields = { event: 'session.failed', ...idsOf(session), failure_reason: reason, scopes: session.scopes };
      const feishu = { feishu_code: detail.feishu_code, log_id: detail.log_id };
      logger.error({ ...fields, ...feishu }, `Feishu makes no consent link: ${detail.remedy}`);
      deps.metrics.sessionFailed(session.appId, reason);
    }
    await producer.cardUpdate(session.sessionId);
    return DONE;
  };

  const notNow = async (session: Session, answer: TransientAnswer, lastAttempt: boolean): Promise<JobOutcome> => {
    if (!lastAttempt) {
      if (answer.retryAfterMs !== null) return again(answer.retryAfterMs);
      throw new AuthdError('upstream_unavailable', 'Feishu makes no consent link right now');
    }
    await sessions.releaseLink(session.sessionId, session.linkNumber);
    await producer.cardUpdate(session.sessionId);
    const fields = { event: 'link.failed', ...idsOf(session), feishu_code: answer.detail.feishu_code };
    logger.warn(fields, 'No consent link could be made for a minute; the user can ask again');
    return DONE;
  };

  /**
   * Asks for what the user has given before as well, so that no consent narrows what her grant can do. When Feishu does
   * not take that (a scope was switched off since), for what the session needs alone.
   */
  const requestLink = async (app: AppConfig, session: Session): Promise<Answer> => {
    const scopes = await scopesToAsk(session);
    const answer = await deps.authorizationServer.requestDeviceCode({ app, scopes, timeoutMs: TIMEOUT_MS });
    if (answer.kind !== 'misconfigured' || covers(session.scopes, scopes)) return answer;
    const less = { app, scopes: session.scopes, timeoutMs: TIMEOUT_MS };
    return await deps.authorizationServer.requestDeviceCode(less);
  };

  const scopesToAsk = async (session: Session): Promise<readonly string[]> => {
    const { marks, stored } = await deps.vault.look(session.appId, session.openId);
    if (stored === null || marks.status === 'revoked') return session.scopes;
    const given = stored.grant.tokens.scopes;
    const all = union(session.scopes, given);
    if (all.length <= MAX_SCOPES) return all;
    const missing = missingFrom(given, session.scopes);
    return missing.length === 0 ? session.scopes : withOfflineAccess(missing);
  };

  return async (job) => {
    const wanted = linkOf(job);
    const session = wanted === null ? null : await sessions.get(wanted.sessionId);
    if (session === null || !wants(session, wanted?.number)) return DONE;
    const app = deps.app(session.appId);
    // Another process of the fleet may be configured with that app; this one is not.
    if (app === undefined) return again(5_000);
    if (app.authGrant === 'authorization_code') {
      await storeCodeLink(session);
      return DONE;
    }
    const answer = await requestLink(app, session);
    switch (answer.kind) {
      case 'ok':
        await store(session, answer);
        return DONE;
      case 'misconfigured':
        return await misconfigured(session, answer.detail);
      case 'transient':
        return await notNow(session, answer, job.lastAttempt);
    }
  };
}

/** Whether the session still waits for that link. */
const wants = (session: Session, number: number | undefined): boolean =>
  session.state === 'authorizing' && session.linkState === 'claimed' && session.linkNumber === number;

type Answer = Awaited<ReturnType<AuthorizationServer['requestDeviceCode']>>;
type OkAnswer = Extract<Answer, { kind: 'ok' }>;
type TransientAnswer = Extract<Answer, { kind: 'transient' }>;
