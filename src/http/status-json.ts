/** The status report as the API shows it (status-schema.ts): exactly these fields, ISO 8601 times, no user. */
import type { AppStatus, ConnectionNote, FleetTrouble, Meaning, SeenProcess } from '../domain/fleet.js';
import type { FailureReason } from '../domain/session.js';
import type { StatusReport } from '../domain/status-report.js';
import { nameOf } from '../domain/verdict.js';

export interface StatusView {
  /** Whatever belongs to another app is left out. */
  readonly appIds: readonly string[];
  readonly version: string;
}

export function statusJson(report: StatusReport, { appIds, version }: StatusView) {
  const isOurs = ({ appId }: { readonly appId: string | null }): boolean => appId === null || appIds.includes(appId);
  return {
    at: time(report.now),
    version,
    verdict: report.verdict,
    findings: report.findings.filter(isOurs).map((finding) => ({
      name: finding.name,
      severity: finding.severity,
      app_id: finding.appId,
      subject: finding.subject,
      value: finding.value,
      feishu_code: finding.trouble?.feishuCode ?? null,
      log_id: finding.trouble?.logId ?? null,
      ...meaningJson(finding.meaning),
    })),
    redis: { answers: report.redisAnswers, persistence_ok: report.redisPersistenceOk },
    encryption_keys_missing: report.encryptionKeysMissing,
    processes: report.processes.map((process) => processJson(process, report, isOurs)),
    apps: report.apps.filter(isOurs).map((app) => appJson(app, report.failureMeanings)),
    queues:
      report.queues?.map(({ jobs, name, oldestAgeSeconds }) => ({
        queue: name,
        jobs,
        oldest_age_seconds: oldestAgeSeconds,
      })) ?? null,
    errors: report.troubles.filter(isOurs).map(errorJson),
  };
}

const time = (milliseconds: number): string => new Date(milliseconds).toISOString();
const timeOrNull = (milliseconds: number | null): string | null => (milliseconds === null ? null : time(milliseconds));

const meaningJson = (meaning: Meaning | null) => ({
  cause: meaning?.cause ?? null,
  remedy: meaning?.remedy ?? null,
});

function processJson(
  process: SeenProcess,
  { processId }: StatusReport,
  isOurs: (of: { readonly appId: string }) => boolean,
) {
  return {
    process: nameOf(process),
    answers: process.id === processId,
    version: process.version,
    roles: process.roles,
    started_at: time(process.startedAt),
    silent_seconds: Math.round(process.silentMs / 1000),
    connections: process.connections.filter(isOurs).map(connectionJson),
    stalled_queues: process.stalledQueues,
    spool_entries: process.spoolEntries,
  };
}

const connectionJson = ({ appId, lastEventAt, since, state, trouble }: ConnectionNote) => ({
  app_id: appId,
  state,
  since: time(since),
  last_event_at: timeOrNull(lastEventAt),
  trouble: trouble === null ? null : { cause: trouble.cause, feishu_code: trouble.feishuCode, log_id: trouble.logId },
});

function appJson(
  { appId, budgets, callbacks, grants, overview }: AppStatus,
  meanings: StatusReport['failureMeanings'],
) {
  return {
    app_id: appId,
    callbacks,
    sessions:
      overview === null
        ? null
        : {
            created: overview.sessions.created,
            counted: overview.sessions.counted,
            by_state: overview.sessions.byState,
            failures: Object.entries(overview.sessions.byFailure).map(([reason, count]) => ({
              failure_reason: reason,
              count,
              ...meaningJson(meanings[reason as FailureReason] ?? null),
            })),
            newest: overview.sessions.newest.map((session) => ({
              session_id: session.sessionId,
              state: session.state,
              failure_reason: session.failureReason,
              client_id: session.clientId,
              created_at: time(session.createdAt),
              ended_at: timeOrNull(session.endedAt),
            })),
          },
    grants:
      grants === null || overview === null
        ? null
        : {
            active: grants.active,
            suspended: overview.suspended,
            reauthorization_required: overview.reauthorizationRequired,
            revoked: overview.revoked,
            expiring_within_1d: grants.expiringWithin1d,
            expiring_within_7d: grants.expiringWithin7d,
          },
    budgets: budgets?.map(({ api, usedRatio }) => ({ api, used_ratio: usedRatio })) ?? null,
  };
}

const errorJson = (trouble: FleetTrouble) => ({
  event: trouble.event,
  level: trouble.level,
  app_id: trouble.appId,
  code: trouble.cause,
  feishu_code: trouble.feishuCode,
  log_id: trouble.logId,
  message: trouble.message,
  ...meaningJson(trouble.meaning),
  count: trouble.count,
  first_at: time(trouble.firstAt),
  last_at: time(trouble.lastAt),
  processes: trouble.processes,
});
