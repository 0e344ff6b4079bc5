/**
 * A client asks a user to authorize (`POST /v1/sessions`): already authorized, already being asked, or a new session
 * and its card. The session is written first; jobs are hints that the reconciler makes again when adding them fails.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { AskRequest, AskResult } from '../domain/ask.js';
import type { GrantStatus } from '../domain/grant.js';
import type { Metrics } from '../domain/metrics.js';
import { covers, OFFLINE_ACCESS } from '../domain/scopes.js';
import { newSessionId } from '../domain/session-id.js';
import { AuthdError } from '../errors.js';
import type { Producer } from '../queue/producer.js';
import type { StoreKeys } from '../store/keys.js';
import type { SessionStore } from '../store/session-store.js';
import type { Unreachable } from '../store/unreachable.js';
import type { Hints } from './hints.js';

export interface AskDeps {
  readonly redis: Redis;
  readonly keys: StoreKeys;
  readonly sessions: SessionStore;
  readonly status: (appId: string, openId: string) => Promise<GrantStatus>;
  readonly unreachable: Unreachable;
  readonly producer: Producer;
  readonly hints: Hints;
  /** Whether a grant counts for the client although it was given for another. */
  readonly seesEveryGrant: (clientId: string) => boolean;
  readonly cardLimitPerHour: number;
  readonly metrics: Pick<Metrics, 'sessionCreated' | 'sessionExpired'>;
  readonly now: () => number;
  readonly logger: Logger;
}

const IDEMPOTENCY_SECONDS = 86_400;

export function createAsk(deps: AskDeps): (request: AskRequest) => Promise<AskResult> {
  const { sessions, producer, hints, logger, metrics } = deps;

  const authorized = async (request: AskRequest): Promise<AskResult | null> => {
    const grant = await deps.status(request.appId, request.openId);
    const named = grant.clientIds.includes(request.clientId) || deps.seesEveryGrant(request.clientId);
    const business = request.scopes.filter((scope) => scope !== OFFLINE_ACCESS);
    if (grant.status !== 'active' || !named || !covers(grant.scopes, business)) return null;
    return { kind: 'already_authorized', grant };
  };

  const create = async (request: AskRequest, sessionId: string): Promise<AskResult> => {
    const outcome = await sessions.create({
      sessionId,
      appId: request.appId,
      clientId: request.clientId,
      openId: request.openId,
      scopes: request.scopes,
      reason: request.reason,
      metadata: request.metadata,
      chatId: request.chatId,
      ttlMs: request.ttlSeconds * 1000,
      cardLimitPerHour: deps.cardLimitPerHour,
    });
    if (outcome.kind === 'limited') {
      throw new AuthdError('rate_limited', 'This user has got as many cards as she may get within an hour', {
        remedy: 'Ask her again later, or raise CARD_LIMIT_PER_USER_PER_HOUR.',
        retryAfterSeconds: Math.max(1, Math.ceil(outcome.retryAfterMs / 1000)),
      });
    }
    if (outcome.kind === 'too_many') {
      const message = 'together with those of the session that waits for the user there are more than 50';
      throw new AuthdError('invalid_request', `scopes: ${message}`, {
        remedy: 'Wait until that session has ended, or invalidate it.',
        details: { errors: [{ in: 'body', field: 'scopes', message }] },
      });
    }
    const session = await sessions.get(outcome.sessionId);
    if (session === null) throw new AuthdError('internal_error', 'the session has gone while it was made');
    if (outcome.kind === 'live') {
      if (outcome.resend) hints.add(() => producer.cardUpdate(session.sessionId));
      return { kind: 'live', session };
    }
    const ids = { app_id: session.appId, client_id: session.clientId, open_id: session.openId };
    logger.info({ event: 'session.created', session_id: session.sessionId, ...ids }, 'A client asks a user');
    metrics.sessionCreated(session.appId);
    hints.add(() => producer.cardUpdate(session.sessionId));
    hints.add(() => producer.expiry(session.sessionId, session.expiresAt - session.createdAt));
    const { ended } = outcome;
    if (ended !== null) {
      const why = ended.how === 'expired' ? 'A session has expired' : 'A wider request replaces this one';
      logger.info({ event: `session.${ended.how}`, session_id: ended.sessionId, ...ids }, why);
      if (ended.how === 'expired') metrics.sessionExpired(session.appId);
      hints.add(() => producer.cardUpdate(ended.sessionId));
    }
    return { kind: 'created', session };
  };

  /** One id per client and key: a repeat finds the session the first one made, also after a crash in between. */
  const claim = async (request: AskRequest, fresh: string): Promise<Claim | null> => {
    if (request.idempotency === null) return null;
    const digest = createHash('sha256').update(request.idempotency.key).digest('hex');
    const key = deps.keys.idempotency(request.clientId, digest);
    const mark = bodyMark(request.idempotency);
    await deps.redis.set(key, `${mark} ${fresh}`, 'EX', IDEMPOTENCY_SECONDS, 'NX');
    const [knownMark, sessionId = fresh, kind] = ((await deps.redis.get(key)) ?? '').split(' ');
    if (knownMark !== mark) {
      throw new AuthdError('idempotency_conflict', 'Idempotency-Key: it was used with another body', {
        remedy: 'Use a new key for a new request.',
      });
    }
    return { key, mark, sessionId, kind: kind === 'live' ? 'live' : 'created' };
  };

  return async (request) => {
    const fresh = newSessionId(request.appId, deps.now());
    const claimed = await claim(request, fresh);
    if (claimed !== null && claimed.sessionId !== fresh) {
      const known = await sessions.get(claimed.sessionId);
      if (known !== null) return { kind: claimed.kind, session: known };
    }
    const refused = await deps.unreachable.find(request.appId, request.openId);
    if (refused !== null) throw refused;
    const already = request.force ? null : await authorized(request);
    if (already !== null) return already;
    const result = await create(request, claimed?.sessionId ?? fresh);
    if (claimed !== null && result.kind !== 'already_authorized' && result.session.sessionId !== claimed.sessionId) {
      const value = `${claimed.mark} ${result.session.sessionId} ${result.kind}`;
      await deps.redis.set(claimed.key, value, 'EX', IDEMPOTENCY_SECONDS, 'XX');
    }
    return result;
  };
}

interface Claim {
  readonly key: string;
  readonly mark: string;
  readonly sessionId: string;
  /** What the first answer was: a repeat is answered the same. */
  readonly kind: 'created' | 'live';
}

/** Tells bodies apart without keeping what a guess could be checked against: keyed by the client's own key. */
const bodyMark = ({ bodyDigest, key }: { readonly bodyDigest: string; readonly key: string }): string =>
  createHmac('sha256', key).update(bodyDigest).digest('hex');
