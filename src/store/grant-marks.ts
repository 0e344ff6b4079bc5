/**
 * What is known beside a grant (hash `<grant key>:state`, written by scripts/refreshing.ts) and what it means for the
 * grant's status. Pure. Times are milliseconds of Redis's clock. Nothing here is secret.
 */
import type { GrantState, GrantStatus } from '../domain/grant.js';
import type { FailureDetail } from '../domain/session.js';
import type { GrantView } from './grant-vault.js';

export interface GrantMarks {
  /** About the generation that is stored; null: nothing has been said against it. */
  readonly status: 'suspended' | 'reauthorization_required' | 'revoked' | null;
  readonly detail: FailureDetail | null;
  readonly failures: number;
  readonly retryAt: number | null;
  readonly usedAt: number | null;
  readonly askedAt: number | null;
  /** Feishu has told of a withdrawal that is not verified yet. */
  readonly isSuspect: boolean;
  /** Cards that must still be sent. */
  readonly ask: boolean;
  readonly notice: boolean;
}

const STATUSES = ['suspended', 'reauthorization_required', 'revoked'] as const;

export function parseMarks(raw: Readonly<Record<string, string>>, generation: number): GrantMarks {
  const isAbout = raw['of'] === String(generation);
  const status = STATUSES.find((known) => known === raw['status']) ?? null;
  const time = (text: string | undefined): number | null => (text === undefined ? null : Number(text));
  return {
    status: isAbout ? status : null,
    detail: isAbout && raw['detail'] ? (JSON.parse(raw['detail']) as FailureDetail) : null,
    failures: isAbout ? Number(raw['failures'] ?? 0) : 0,
    retryAt: isAbout ? time(raw['retry_at']) : null,
    usedAt: time(raw['used_at']),
    askedAt: time(raw['asked_at']),
    isSuspect: raw['suspect_at'] !== undefined,
    ask: isAbout && raw['ask'] !== undefined,
    notice: isAbout && raw['notice'] !== undefined,
  };
}

export function statusOf(appId: string, openId: string, { marks, now, stored }: GrantView): GrantStatus {
  if (stored === null) {
    return {
      status: marks.status ?? 'none',
      appId,
      openId,
      scopes: [],
      expiresAt: null,
      refreshExpiresAt: null,
      authorizedAt: null,
      renewable: false,
      clientIds: [],
      detail: marks.detail,
    };
  }
  const { tokens, authorizedAt, clientIds } = stored.grant;
  const isOver = tokens.refreshToken === null && tokens.expiresAt <= now;
  const status: GrantState = marks.status ?? (isOver ? 'reauthorization_required' : 'active');
  return {
    status,
    appId,
    openId,
    scopes: tokens.scopes,
    expiresAt: tokens.expiresAt,
    refreshExpiresAt: tokens.refreshExpiresAt,
    authorizedAt,
    renewable: tokens.refreshToken !== null,
    clientIds,
    detail: marks.detail,
  };
}
