/**
 * Which metrics and labels there are for rules and dashboard to speak of: our own by the table (CONTRACT §7), those of
 * the process by what the registry really writes, `up` by Prometheus.
 */
import { CLICK_EVENT } from '../../src/domain/card-action.js';
import { FEISHU_APIS } from '../../src/domain/feishu-apis.js';
import { CARD_RESULTS, EVENT_RESULTS, REFRESH_RESULTS } from '../../src/domain/metrics.js';
import { METRIC_TABLE, PREFIX } from '../../src/telemetry/metric-table.js';
import { newMetrics } from '../support/metrics.js';
import { readMetrics } from '../support/prometheus.js';
import { readPromql, type Selector } from './promql.js';

/** Prometheus adds them to all it scrapes. */
const SCRAPED = ['job', 'instance'];
const SUFFIXES = ['bucket', 'sum', 'count'];

/** Values that a label of a metric can have, where they are few. `issued` is one of many of token_reads_total. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  'card_update_total result': CARD_RESULTS,
  'token_refresh_total result': REFRESH_RESULTS,
  'events_total result': EVENT_RESULTS,
  'events_total type': [CLICK_EVENT, 'other'],
  'grants_expiring within': ['1h', '1d', '7d'],
  'api_budget_used_ratio api': FEISHU_APIS,
  'queue_jobs state': [
    ...['waiting', 'active', 'failed', 'prioritized', 'delayed', 'completed', 'paused', 'waiting-children'],
  ],
};

/** Labels of each metric by its full name, histograms with their three. */
export async function knownMetrics(): Promise<ReadonlyMap<string, readonly string[]>> {
  const known = new Map<string, readonly string[]>([['up', SCRAPED]]);
  for (const [name, { labels, type }] of Object.entries(METRIC_TABLE)) {
    if (type !== 'histogram') known.set(PREFIX + name, [...labels, ...SCRAPED]);
    else for (const suffix of SUFFIXES) known.set(`${PREFIX}${name}_${suffix}`, bucketLabels(labels, suffix));
  }
  for (const { name, series } of readMetrics(await newMetrics().text()).families.values()) {
    if (name.startsWith(PREFIX)) continue;
    for (const one of series) known.set(one.name, [...Object.keys(one.labels), ...SCRAPED]);
  }
  return known;
}

const bucketLabels = (labels: readonly string[], suffix: string): string[] =>
  suffix === 'bucket' ? [...labels, 'le', ...SCRAPED] : [...labels, ...SCRAPED];

/** Sentences on what an expression speaks of that does not exist; none when all is well. */
export function unknownIn(expr: string, known: ReadonlyMap<string, readonly string[]>): string[] {
  const { labels, selectors } = readPromql(expr);
  const all = new Set(selectors.flatMap(({ metric }) => known.get(metric) ?? []));
  return [
    ...selectors.flatMap((selector) => unknownOf(selector, known)),
    ...labels.filter((label) => !all.has(label)).map((label) => `no metric here has the label ${label}`),
  ];
}

function unknownOf({ matchers, metric }: Selector, known: ReadonlyMap<string, readonly string[]>): string[] {
  const labels = known.get(metric);
  if (labels === undefined) return [`there is no metric ${metric}`];
  return matchers.flatMap(({ label, value }) => {
    if (!labels.includes(label)) return [`${metric} has no label ${label}`];
    if (label === 'le') return isBucket(metric, value) ? [] : [`${metric} has no bucket ${value}`];
    const values = VALUES[`${metric.slice(PREFIX.length)} ${label}`];
    const named = value.split('|');
    return (values === undefined ? [] : named.filter((one) => !values.includes(one))).map(
      (one) => `${metric} has no ${label} ${one}`,
    );
  });
}

function isBucket(metric: string, bound: string): boolean {
  const name = metric.slice(PREFIX.length).replace(/_bucket$/, '');
  const entry = Object.entries(METRIC_TABLE).find(([key]) => key === name)?.[1];
  return entry?.type === 'histogram' && entry.buckets.some((bucket) => String(bucket) === bound);
}
