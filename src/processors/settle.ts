/**
 * From kept tokens to the user's grant (ARCHITECTURE §2 step 9): is it the user who was asked? The device code is
 * bound to nobody (FEISHU.md §6.3), so user_info decides. No answer is not a mismatch: the tokens wait, unusable.
 */
import type { Logger } from 'pino';
import { FeishuError } from '../domain/feishu-error.js';
import { type AccessToken, accessTokenOf, type Grant } from '../domain/grant.js';
import { again, DONE, type JobOutcome } from '../domain/job.js';
import { idsOf } from '../domain/log-ids.js';
import type { Metrics } from '../domain/metrics.js';
import { firstDueAt, type RefreshPolicy } from '../domain/refresh-plan.js';
import { covers, missingFrom, OFFLINE_ACCESS, union } from '../domain/scopes.js';
import { type FailureDetail, MAX_MISMATCHES, type Session } from '../domain/session.js';
import type { TokenSet } from '../domain/token-set.js';
import type { Producer } from '../queue/producer.js';
import type { GrantVault } from '../store/grant-vault.js';
import type { SessionStore } from '../store/session-store.js';

export type Settle = (session: Session) => Promise<JobOutcome>;

export interface SettleDeps {
  readonly sessions: SessionStore;
  readonly vault: GrantVault;
  readonly producer: Producer;
  /** @throws FeishuError */
  readonly userInfo: (appId: string, accessToken: string) => Promise<{ readonly openId: string }>;
  readonly metrics: Pick<Metrics, 'sessionCompleted' | 'sessionFailed'>;
  readonly policy: RefreshPolicy;
  readonly random: () => number;
  readonly logger: Logger;
}

const WRONG_ACCOUNT: FailureDetail = {
  remedy: 'Another Feishu account consented three times. Log in to Feishu as the user who was asked, then start again.',
  for: 'user',
};
const MISSING: FailureDetail = {
  remedy: 'Not all scopes were granted. Enable them in the developer console (权限管理), publish, and ask again.',
  for: 'operator',
};
const UNVERIFIED: FailureDetail = {
  remedy: 'Feishu did not say whose consent it was while its token lived. Start again.',
  for: 'user',
};

const MAX_CONFLICTS = 5;

export function createSettle(deps: SettleDeps): Settle {
  const { sessions, vault, producer, logger, metrics } = deps;

  const giveUp = async (session: Session, detail: FailureDetail): Promise<JobOutcome> => {
    if (await sessions.fail(session.sessionId, 'upstream_error', detail)) {
      const fields = { event: 'session.failed', ...idsOf(session), failure_reason: 'upstream_error' };
      logger.error({ ...fields, feishu_code: detail.feishu_code, log_id: detail.log_id }, detail.remedy);
      metrics.sessionFailed(session.appId, 'upstream_error');
    }
    await sessions.dropTokens(session.sessionId);
    await producer.cardUpdate(session.sessionId);
    return DONE;
  };

  /** user_info cannot be had now: again in a while, in proportion to how long it has been so. */
  const later = async (session: Session, tokens: TokenSet, error: FeishuError): Promise<JobOutcome> => {
    const { now } = await vault.look(session.appId, session.openId);
    if (tokens.expiresAt <= now) return await giveUp(session, UNVERIFIED);
    if (await sessions.markConfirming(session.sessionId)) {
      const fields = { event: 'session.confirming', ...idsOf(session), feishu_code: error.feishuCode };
      logger.warn({ ...fields, log_id: error.logId }, 'Who consented cannot be verified yet; the tokens wait');
      await producer.cardUpdate(session.sessionId);
    }
    const age = now - (tokens.expiresAt - tokens.expiresIn * 1000);
    return again(Math.max(error.retryAfterMs ?? 0, Math.min(60_000, Math.max(1_000, age / 2))));
  };

  const mismatch = async (session: Session): Promise<JobOutcome> => {
    const count = await sessions.mismatch(session.sessionId, WRONG_ACCOUNT);
    const fields = { ...idsOf(session), mismatches: count };
    if (count > 0) {
      logger.warn({ event: 'session.wrong_account', ...fields }, 'Another account consented; its tokens were dropped');
    }
    if (count >= MAX_MISMATCHES) {
      logger.warn({ event: 'session.failed', ...fields, failure_reason: 'identity_mismatch' }, WRONG_ACCOUNT.remedy);
      metrics.sessionFailed(session.appId, 'identity_mismatch');
    }
    await producer.cardUpdate(session.sessionId);
    return DONE;
  };

  const complete = async (session: Session, tokens: TokenSet): Promise<JobOutcome> => {
    const missing = missingFrom(
      tokens.scopes,
      session.scopes.filter((scope) => scope !== OFFLINE_ACCESS),
    );
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
      const { marks, now, stored: before } = await vault.look(session.appId, session.openId);
      const isOver = marks.status === 'revoked' || marks.status === 'reauthorization_required';
      const wider = before === null || isOver ? undefined : widerToken(before.grant, tokens, now);
      const grant: Grant = {
        tokens,
        authorizedAt: now,
        clientIds: union(without(before?.grant.clientIds ?? [], session.clientId), [session.clientId]),
        ...(wider !== undefined && { wider }),
      };
      const verdict = await vault.settle({
        sessionId: session.sessionId,
        openId: session.openId,
        grant,
        generation: before?.generation ?? 0,
        now,
        dueAt: firstDueAt(tokens, deps.policy, deps.random),
        missingScopes: missing,
        missingDetail: MISSING,
      });
      if (verdict === 'stale') return DONE;
      if (verdict === 'done') {
        announce(session, grant, missing);
        if (wider !== undefined) sayNarrowed(session, wider, tokens);
        await producer.cardUpdate(session.sessionId);
        return DONE;
      }
    }
    return again(1_000);
  };

  const sayNarrowed = (session: Session, wider: AccessToken, tokens: TokenSet): void => {
    const lost = missingFrom(tokens.scopes, wider.scopes);
    const fields = { event: 'grant.narrowed', ...idsOf(session), lost_scopes: lost };
    logger.warn(fields, 'The new consent covers less than the one before; the former token is used until it ends');
  };

  const announce = (session: Session, { authorizedAt, tokens }: Grant, missing: readonly string[]): void => {
    const fields = { ...idsOf(session), scopes: tokens.scopes, renewable: tokens.refreshToken !== null };
    if (missing.length > 0) {
      const reason = { failure_reason: 'insufficient_scope', missing_scopes: missing };
      logger.warn({ event: 'session.failed', ...fields, ...reason }, 'The user consented, but not to all scopes');
      metrics.sessionFailed(session.appId, 'insufficient_scope');
    } else {
      logger.info({ event: 'session.completed', ...fields }, 'The user has authorized');
      metrics.sessionCompleted(session.appId, (authorizedAt - session.createdAt) / 1000);
    }
    if (tokens.refreshToken === null) {
      logger.warn(
        { event: 'grant.not_renewable', ...fields },
        'Feishu gave no refresh token: enable offline_access and 安全设置 > 刷新 user_access_token in the console, publish',
      );
    }
  };

  return async (session) => {
    const tokens = await vault.kept(session.sessionId);
    if (tokens === null) {
      // Settled by somebody else, or damaged and put aside: then the user may consent again.
      await sessions.dropTokens(session.sessionId);
      await producer.cardUpdate(session.sessionId);
      return DONE;
    }
    let openId: string;
    try {
      ({ openId } = await deps.userInfo(session.appId, tokens.accessToken));
    } catch (error) {
      if (!(error instanceof FeishuError)) throw error;
      const final = error.meaning === 'token_invalid' || error.meaning === 'user_left';
      return final ? await giveUp(session, error.toFailureDetail()) : await later(session, tokens, error);
    }
    return openId === session.openId ? await complete(session, tokens) : await mismatch(session);
  };
}

const without = (list: readonly string[], one: string): string[] => list.filter((each) => each !== one);

/** Of the grant before: an access token that still lives and may do something the new one may not. */
function widerToken(before: Grant, tokens: TokenSet, now: number): AccessToken | undefined {
  const candidates = [accessTokenOf(before.tokens), before.wider];
  return candidates.find(
    (token) => token !== undefined && token.expiresAt > now && !covers(tokens.scopes, token.scopes),
  );
}
