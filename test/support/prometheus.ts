/**
 * A strict reader of the Prometheus text format 0.0.4, so that a test fails where a scrape would: names, escapes, HELP
 * and TYPE once and before their samples, samples of a metric together, no series twice, histograms whole.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import assert from 'node:assert/strict';

export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly series: readonly Series[];
}

export interface Scraped {
  readonly families: ReadonlyMap<string, Family>;
  readonly seriesCount: number;
  /** The one series with these labels (and perhaps more); 0 when a counter has none yet, else it must be there. */
  value(name: string, labels?: Readonly<Record<string, string>>): number;
  /** All series of that name with these labels. */
  all(name: string, labels?: Readonly<Record<string, string>>): readonly Series[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = /^\s*([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"\s*(?:,|$)/;
const VALUE = /^(?:[+-]?Inf|nan|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/i;

export function readMetrics(text: string): Scraped {
  assert.ok(text.endsWith('\n'), 'the text ends with a line feed');
  const families = new Map<string, { name: string; type: string; help: string; series: Series[] }>();
  const seen = new Set<string>();
  let current = '';
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue;
    const [, word, name = '', rest = ''] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line) ?? [];
    if (word === undefined) {
      const series = readSeries(line);
      const family = families.get(familyOf(series.name, families));
      assert.ok(family && family.type !== '', `a sample before its TYPE: ${line}`);
      assert.equal(family.name, current, `samples of a metric stand together: ${line}`);
      const key = `${series.name} ${JSON.stringify(Object.entries(series.labels).sort())}`;
      assert.ok(!seen.has(key), `a series twice: ${line}`);
      seen.add(key);
      family.series.push(series);
      continue;
    }
    const family = families.get(name) ?? { name, type: '', help: '', series: [] };
    families.set(name, family);
    assert.equal(family.series.length, 0, `${word} after samples: ${line}`);
    current = name;
    if (word === 'HELP') {
      assert.equal(family.help, '', `HELP twice: ${line}`);
      family.help = rest;
    } else {
      assert.equal(family.type, '', `TYPE twice: ${line}`);
      assert.match(rest, /^(counter|gauge|histogram|summary|untyped)$/);
      family.type = rest;
    }
  }
  for (const family of families.values()) checkFamily(family);
  return { families, seriesCount: seen.size, ...lookups(families) };
}

function readSeries(line: string): Series {
  const [, name = '', inner = '', value = ''] = SAMPLE.exec(line) ?? [];
  assert.ok(name !== '' && VALUE.test(value), `not a sample: ${line}`);
  const labels: Record<string, string> = {};
  let rest = inner;
  while (rest !== '') {
    const [all, label = '', raw = ''] = LABEL.exec(rest) ?? [];
    assert.ok(all !== undefined && !(label in labels), `labels: ${line}`);
    labels[label] = raw.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
    rest = rest.slice(all.length);
  }
  return { name, labels, value: Number(value.replace(/inf$/i, 'Infinity')) };
}

/** `x_bucket`, `x_sum` and `x_count` belong to the histogram or summary `x`. */
function familyOf(name: string, families: ReadonlyMap<string, Family>): string {
  const base = name.replace(/_(bucket|sum|count)$/, '');
  const type = families.get(base)?.type;
  return base !== name && (type === 'histogram' || type === 'summary') ? base : name;
}

function checkFamily({ name, series, type }: Family): void {
  assert.notEqual(type, '', `${name} has a TYPE`);
  if (type === 'counter') for (const { value } of series) assert.ok(value >= 0, name);
  if (type !== 'histogram') return;
  const groups = new Map<string, Series[]>();
  for (const one of series) {
    const key = JSON.stringify(Object.entries({ ...one.labels, le: '' }).sort());
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  for (const group of groups.values()) {
    const buckets = group.filter((one) => one.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number((labels['le'] ?? '').replace('+Inf', 'Infinity')));
    const counts = buckets.map(({ value }) => value);
    assert.deepEqual(
      bounds,
      bounds.toSorted((a, b) => a - b),
      `${name}: bounds grow`,
    );
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
      `${name}: counts are cumulative`,
    );
    assert.equal(bounds.at(-1), Number.POSITIVE_INFINITY, `${name} has a bucket +Inf`);
    assert.equal(group.find((one) => one.name === `${name}_count`)?.value, counts.at(-1), `${name}_count`);
    assert.ok(
      group.some((one) => one.name === `${name}_sum`),
      `${name}_sum`,
    );
  }
}

function lookups(families: ReadonlyMap<string, Family>): Pick<Scraped, 'all' | 'value'> {
  const all: Scraped['all'] = (name, labels = {}) =>
    (families.get(familyOf(name, families))?.series ?? []).filter(
      (one) => one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
    );
  return {
    all,
    value(name, labels = {}) {
      const found = all(name, labels);
      if (found.length === 0 && families.get(name)?.type === 'counter') return 0;
      assert.equal(found.length, 1, `one series of ${name} ${JSON.stringify(labels)}, not ${JSON.stringify(found)}`);
      return found[0]?.value ?? Number.NaN;
    },
  };
}
