/**
 * What a scrape reads beside what this process has counted: the fleet's gauges from Redis and BullMQ, the long
 * connections of this process, its spool. Each part is read on its own and within one deadline: a Redis that hangs
 * leaves its gauges out of the text (nothing is known, nothing is said) and never holds the scrape up.
 */
import type { Logger } from 'pino';
import type { LongConnectionStatus } from '../feishu/long-connection/status.js';
import type { MetricsText } from '../http/ports.js';
import { bullmqText, type QueueNumbers } from '../queue/numbers.js';
import type { Producer } from '../queue/producer.js';
import type { GaugeName } from '../telemetry/metric-table.js';
import type { MetricsRegistry } from '../telemetry/metrics.js';
import type { AppCounts, BudgetUsed, FleetReads } from './fleet-reads.js';
import { type Part, reader } from './scrape-part.js';
import type { StoreParts } from './store-parts.js';

export interface ScrapeDeps {
  readonly metrics: MetricsRegistry;
  readonly reads: FleetReads;
  readonly store: Pick<StoreParts, 'spool'>;
  /** null until Redis has been reached. */
  readonly producer: () => Producer | null;
  /** The long connections of this process; none without the role `gateway`. */
  readonly connections: () => readonly LongConnectionStatus[];
  readonly logger: Logger;
}

/** Callers at the same moment share one scrape. Never rejects for what Redis does. */
export type Scrape = () => Promise<MetricsText>;

const HOUR_MS = 3_600_000;
const WITHIN = [
  { name: '1h', ms: HOUR_MS },
  { name: '1d', ms: 24 * HOUR_MS },
  { name: '7d', ms: 7 * 24 * HOUR_MS },
] as const;

export function createScrape(deps: ScrapeDeps): Scrape {
  const { metrics, reads, store } = deps;

  const fleet = {
    name: 'fleet',
    read: () => reads.counts(WITHIN.map(({ ms }) => ms)),
    show(apps: readonly AppCounts[] | null) {
      const known = apps ?? [];
      metrics.show(
        'auth_session_active',
        byApp(known, ({ liveSessions }) => liveSessions),
      );
      metrics.show(
        'token_active_count',
        byApp(known, ({ grants }) => grants),
      );
      const sum = (i: number): number => known.reduce((total, { expiring }) => total + (expiring[i] ?? 0), 0);
      const spans = apps === null ? [] : WITHIN;
      metrics.show(
        'grants_expiring',
        spans.map(({ name }, i) => ({ labels: { within: name }, value: sum(i) })),
      );
    },
  };

  const budget = {
    name: 'budget',
    read: reads.budgets,
    show(used: readonly BudgetUsed[] | null) {
      const samples = (used ?? []).map(({ api, appId, usedRatio }) => sample({ app_id: appId, api }, usedRatio));
      metrics.show('api_budget_used_ratio', samples);
    },
  };

  const persistence = single('redis_persistence_ok', reads.persistenceOk, metrics);
  const missing = single('encryption_key_missing', reads.missingKeys, metrics);
  const spool = single('spool_entries', () => store.spool.count(), metrics);

  const queues = {
    name: 'queues',
    read: reads.queues,
    show(numbers: readonly QueueNumbers[] | null) {
      const known = numbers ?? [];
      const states = known.flatMap(({ name, jobs }) =>
        Object.entries(jobs).map(([state, value]) => sample({ queue: name, state }, value)),
      );
      metrics.show('queue_jobs', states);
      const ages = known.map(({ name, oldestAgeSeconds }) => sample({ queue: name }, oldestAgeSeconds));
      metrics.show('queue_oldest_job_age_seconds', ages);
    },
  };

  let appended = '';
  const bullmq = {
    name: 'bullmq',
    read: () =>
      reads.whenUp(async () => {
        const producer = deps.producer();
        return producer === null ? null : await bullmqText(producer.queue);
      }),
    show(text: string | null) {
      appended = text === null ? '' : `\n${text}`;
    },
  };

  const showConnections = (): void => {
    const statuses = deps.connections();
    const up = ({ appId, state }: LongConnectionStatus) => sample({ app_id: appId }, state === 'connected' ? 1 : 0);
    metrics.show('ws_connected', statuses.map(up));
    const heard = statuses.flatMap(({ appId, lastEventAt }) =>
      lastEventAt === null ? [] : [sample({ app_id: appId }, lastEventAt / 1000)],
    );
    metrics.show('ws_last_event_timestamp_seconds', heard);
  };

  const readers = [
    reader(fleet, deps.logger),
    reader(budget, deps.logger),
    reader(persistence, deps.logger),
    reader(missing, deps.logger),
    reader(spool, deps.logger),
    reader(queues, deps.logger),
    reader(bullmq, deps.logger),
  ];

  const scrape = async (): Promise<MetricsText> => {
    await Promise.all(readers.map((read) => read()));
    showConnections();
    return { contentType: metrics.contentType, text: (await metrics.text()) + appended };
  };

  let current: Promise<MetricsText> | null = null;
  return () => {
    current ??= scrape().finally(() => {
      current = null;
    });
    return current;
  };
}

const sample = <L extends Readonly<Record<string, string>>>(labels: L, value: number) => ({ labels, value });

const byApp = (apps: readonly AppCounts[], value: (app: AppCounts) => number) =>
  apps.map((app) => sample({ app_id: app.appId }, value(app)));

function single(
  name: Extract<GaugeName, 'redis_persistence_ok' | 'encryption_key_missing' | 'spool_entries'>,
  read: () => Promise<number | boolean | null>,
  metrics: MetricsRegistry,
): Part<number | boolean> {
  return { name, read, show: (value) => metrics.show(name, value === null ? [] : [sample({}, Number(value))]) };
}
