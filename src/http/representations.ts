/**
 * Our records as the API shows them (CONTRACT §5): exactly these fields, ISO 8601 times in UTC. Nothing is passed
 * through: a field added to a record stays inside until it is added here and in schemas.ts.
 */
import type { AccessToken, GrantStatus } from '../domain/grant.js';
import type { KeyringStatus } from '../domain/keyring.js';
import type { ReadinessReport } from '../domain/readiness.js';
import type { FailureDetail, Session } from '../domain/session.js';

const time = (milliseconds: number): string => new Date(milliseconds).toISOString();
const timeOrNull = (milliseconds: number | null): string | null => (milliseconds === null ? null : time(milliseconds));

export const sessionJson = (session: Session) => ({
  session_id: session.sessionId,
  state: session.state,
  app_id: session.appId,
  client_id: session.clientId,
  open_id: session.openId,
  scopes: session.scopes,
  granted_scopes: session.grantedScopes,
  missing_scopes: session.missingScopes,
  reason: session.reason,
  message_id: session.messageId,
  created_at: time(session.createdAt),
  expires_at: time(session.expiresAt),
  ended_at: timeOrNull(session.endedAt),
  failure_reason: session.failureReason,
  failure_detail: session.failureDetail === null ? null : failureDetailJson(session.failureDetail),
  next_session_id: session.nextSessionId,
  metadata: session.metadata,
});

/** `feishu_code` and `log_id` are null where Feishu was not the one who refused. */
const failureDetailJson = (detail: FailureDetail) => ({
  feishu_code: detail.feishu_code ?? null,
  log_id: detail.log_id ?? null,
  remedy: detail.remedy,
  for: detail.for,
});

export const userStatusJson = (grant: GrantStatus) => ({
  status: grant.status,
  scopes: grant.scopes,
  expires_at: timeOrNull(grant.expiresAt),
  refresh_expires_at: timeOrNull(grant.refreshExpiresAt),
  authorized_at: timeOrNull(grant.authorizedAt),
  renewable: grant.renewable,
});

/** What a client sees of a grant it has no part in: as if there were none. */
export const NO_GRANT = {
  status: 'none',
  scopes: [],
  expires_at: null,
  refresh_expires_at: null,
  authorized_at: null,
  renewable: false,
} as const;

/** @param now milliseconds; `expires_in` counts whole seconds from there */
export const tokenJson = (token: AccessToken, now: number) => ({
  access_token: token.accessToken,
  token_type: token.tokenType,
  expires_at: time(token.expiresAt),
  expires_in: Math.floor((token.expiresAt - now) / 1000),
  scopes: token.scopes,
});

export const keyringJson = ({ keys, reseal }: KeyringStatus) => ({
  keys: keys.map(({ configured, id, removable, seals, uses }) => ({ id, seals, configured, uses, removable })),
  reseal: {
    running: reseal.running,
    done: reseal.done,
    total: reseal.total,
    target_key_id: reseal.targetKeyId,
    finished_at: timeOrNull(reseal.finishedAt),
  },
});

export const readinessJson = (report: ReadinessReport) => ({
  status: report.status,
  parts: report.parts.map((part) => ({
    part: part.part,
    ...(part.appId === undefined ? {} : { app_id: part.appId }),
    ok: part.ok,
    detail: part.detail,
  })),
});
