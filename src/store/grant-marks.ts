/** The hash beside a grant (`<grant key>:state`, written by scripts/refreshing.ts) as the daemon sees it. Pure. */
import type { GrantMarks } from '../domain/grant.js';
import type { FailureDetail } from '../domain/session.js';

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
    suspectAt: time(raw['suspect_at']),
    ask: isAbout && raw['ask'] !== undefined,
    noticeAt: isAbout ? time(raw['notice']) : null,
    clientIds: isAbout && raw['clients'] ? (JSON.parse(raw['clients']) as readonly string[]) : [],
  };
}
