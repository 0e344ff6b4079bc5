/**
 * What the status page shows: the fleet as Redis knows it and as its processes tell of themselves, judged, with remedies.
 * Each part is read on its own and within one deadline, so that a page is there also when Redis is not. Callers at the
 * same moment share one reading.
 */
import type { Logger } from 'pino';
import type { AppConfig } from '../config/config.js';
import type { AppOverview, AppStatus, FleetStatus, Meaning, SeenProcess } from '../domain/fleet.js';
import type { StatusReport } from '../domain/status-report.js';
import { mergeTroubles } from '../domain/troubles.js';
import { type Finding, judgeFleet } from '../domain/verdict.js';
import type { ReadOverview } from '../store/overview.js';
import type { Processes } from '../store/processes.js';
import type { AppCounts, BudgetUsed, FleetReads } from './fleet-reads.js';
import { type Explain, meaningOf } from './meanings.js';
import type { Presence } from './presence.js';
import { reader } from './scrape-part.js';

export interface StatusDeps {
  readonly apps: readonly Pick<AppConfig, 'appId' | 'cardCallback'>[];
  readonly reads: FleetReads;
  readonly overview: ReadOverview;
  readonly processes: Pick<Processes, 'list'>;
  readonly presence: Pick<Presence, 'note'>;
  readonly explain: Explain;
  readonly now: () => number;
  readonly logger: Logger;
}

const DAY_MS = 86_400_000;
const SPANS = [DAY_MS, 7 * DAY_MS];

/** Never rejects for what Redis does. */
export type ReadStatus = () => Promise<StatusReport>;

export function createStatus(deps: StatusDeps): ReadStatus {
  const { explain, logger, now, reads } = deps;
  const appIds = deps.apps.map(({ appId }) => appId);
  const latest = <T>(name: string, read: () => Promise<T | null>) => readLatest(`status ${name}`, read, logger);

  const readProcesses = latest('processes', () => reads.whenUp(deps.processes.list));
  const readOverviews = latest('overviews', () => reads.whenUp(() => Promise.all(appIds.map(deps.overview))));
  const readCounts = latest('counts', () => reads.counts(SPANS));
  const readBudgets = latest('budgets', reads.budgets);
  const readQueues = latest('queues', reads.queues);
  const readPersistence = latest('persistence', reads.persistenceOk);
  const readMissingKeys = latest('keys', reads.missingKeys);

  const look = async (): Promise<FleetStatus> => {
    const [own, told, overviews, counts, budgets, queues, redisPersistenceOk, encryptionKeysMissing] =
      await Promise.all([
        deps.presence.note(),
        readProcesses(),
        readOverviews(),
        readCounts(),
        readBudgets(),
        readQueues(),
        readPersistence(),
        readMissingKeys(),
      ]);
    const self: SeenProcess = { ...own, silentMs: 0 };
    const others = (told ?? []).filter(({ id }) => id !== self.id);
    return {
      now: now(),
      processId: self.id,
      redisAnswers: told !== null,
      redisPersistenceOk,
      encryptionKeysMissing,
      processes: [...others, self].sort((a, b) => a.startedAt - b.startedAt),
      apps: deps.apps.map((app, i) => appStatus(app, { counts, budgets, overview: overviews?.[i] ?? null })),
      queues,
    };
  };

  const report = async (): Promise<StatusReport> => {
    const status = await look();
    const { findings, verdict } = judgeFleet(status);
    return {
      ...status,
      verdict,
      findings: findings.map((finding) => ({ ...finding, meaning: meaningOfFinding(explain, finding) })),
      troubles: mergeTroubles(status.processes).map((trouble) => ({
        ...trouble,
        meaning: meaningOf(explain, trouble),
      })),
      failureMeanings: failureMeanings(explain, status),
    };
  };

  let current: Promise<StatusReport> | null = null;
  return () => {
    current ??= report().finally(() => {
      current = null;
    });
    return current;
  };
}

/** Why a long connection is down, or refreshes halt, in the words of the tables; the page has words for all else. */
function meaningOfFinding(explain: Explain, { name, trouble }: Finding): Meaning | null {
  if (trouble === null) return null;
  const event = name === 'refresh_halted' ? 'token.refresh_halted' : 'ws.connect_failed';
  return meaningOf(explain, { event, cause: trouble.cause, feishuCode: trouble.feishuCode });
}

function failureMeanings(explain: Explain, { apps }: FleetStatus): StatusReport['failureMeanings'] {
  const reasons = new Set(apps.flatMap(({ overview }) => Object.keys(overview?.sessions.byFailure ?? {})));
  const known = [...reasons].flatMap((reason) => {
    const meaning = explain(reason, 'failure_reason');
    return meaning === null ? [] : [[reason, meaning] as const];
  });
  return Object.fromEntries(known);
}

interface Known {
  readonly counts: readonly AppCounts[] | null;
  readonly budgets: readonly BudgetUsed[] | null;
  readonly overview: AppOverview | null;
}

function appStatus(
  { appId, cardCallback }: StatusDeps['apps'][number],
  { budgets, counts, overview }: Known,
): AppStatus {
  const counted = counts?.find((app) => app.appId === appId);
  const [expiringWithin1d = 0, expiringWithin7d = 0] = counted?.expiring ?? [];
  return {
    appId,
    callbacks: cardCallback,
    overview,
    grants:
      counted === undefined || overview === null
        ? null
        : { active: Math.max(0, counted.grants - overview.suspended), expiringWithin1d, expiringWithin7d },
    budgets:
      budgets?.filter((budget) => budget.appId === appId).map(({ api, usedRatio }) => ({ api, usedRatio })) ?? null,
  };
}

/** A part as its last reading; null: not known now. */
function readLatest<T>(name: string, read: () => Promise<T | null>, logger: Logger): () => Promise<T | null> {
  let value: T | null = null;
  const show = (last: T | null): void => {
    value = last;
  };
  const run = reader({ name, read, show }, logger);
  return async () => {
    await run();
    return value;
  };
}
