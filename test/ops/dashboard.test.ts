/** The Grafana dashboard: queries only what exists, and can be provisioned into any installation of Grafana 10 or 11. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { METRIC_TABLE, PREFIX } from '../../src/telemetry/metric-table.js';
import { type DashboardFile, readDashboard } from './dashboard-file.js';
import { knownMetrics, unknownIn } from './known-metrics.js';

const ROWS = ['Does it work?', 'Sessions', 'Tokens', 'Queues', "Feishu's limits", 'Redis, spool, keys', 'Process'];
/** The only data source it may name: the variable. */
const DATASOURCE = { type: 'prometheus', uid: `\${datasource}` };

describe('Grafana dashboard', () => {
  let dashboard: DashboardFile;
  before(async () => {
    dashboard = await readDashboard();
  });

  it('queries only metrics, labels, values and buckets that exist', async () => {
    const known = await knownMetrics();
    for (const { exprs, title } of dashboard.panels) {
      // Grafana puts numbers and lists into these places.
      for (const expr of exprs) assert.deepEqual(unknownIn(expr, known), [], `${title}: ${expr}`);
    }
    for (const [name, query] of dashboard.variables) {
      const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(query) ?? [];
      if (name !== 'datasource') assert.ok(known.get(metric)?.includes(label), query);
    }
  });

  it('shows every metric of ours', () => {
    const shown = dashboard.panels.flatMap(({ exprs }) => exprs).join('\n');
    for (const name of Object.keys(METRIC_TABLE)) assert.match(shown, new RegExp(`\\b${PREFIX}${name}`), name);
  });

  it('has the rows that an operator looks for, in that order, and panels that do not overlap', () => {
    const { panels } = dashboard;
    assert.deepEqual(
      panels.filter(({ type }) => type === 'row').map(({ title }) => title),
      ROWS,
    );
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    for (const { place, title } of panels) {
      assert.ok(place.x >= 0 && place.x + place.w <= 24, title);
      const isOver = (other: typeof place): boolean =>
        other !== place &&
        Math.max(other.x, place.x) < Math.min(other.x + other.w, place.x + place.w) &&
        Math.max(other.y, place.y) < Math.min(other.y + other.h, place.y + place.h);
      assert.deepEqual(
        panels.filter((other) => isOver(other.place)).map((other) => other.title),
        [],
        title,
      );
    }
  });

  it('is bound to no installation: the data source is a variable, nothing has an id from elsewhere', () => {
    const { json, panels, text, variables } = dashboard;
    assert.deepEqual([...variables.keys()], ['datasource', 'app_id', 'instance']);
    for (const { datasources, title } of panels)
      for (const one of datasources) assert.deepEqual(one, DATASOURCE, title);
    assert.deepEqual([json['id'], json['uid'], json['schemaVersion']], [null, 'feishu-authd', 39]);
    assert.doesNotMatch(text, /__inputs|DS_PROMETHEUS|cli_|https?:|orgId|folderUid/);
  });
});
