/**
 * The alert rules speak only of metrics, labels, values and buckets that exist, say what they mean in two languages and
 * have a line in the README; where `promtool` is on PATH it checks and tests them. That each fires and ends by a real
 * fault is shown by `npm run alerts-proof`, which no test runs: it takes ten minutes.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { knownMetrics, unknownIn } from './known-metrics.js';
import { quickRules } from './proof/quick-rules.js';
import { type AlertRule, RULES_FILE, readRules } from './rules-file.js';

/** Issue 4, point 2. */
const ASKED_FOR = [
  ['deaf or silent long connection', 'LongConnectionDeaf', 'NoClicks', 'LongConnectionDown'],
  ['refresh failures', 'RefreshBroken', 'RefreshFailing'],
  ['acks slow', 'AcksSlow', 'AcksLate'],
  ['cards not delivered', 'CardsNotDelivered'],
  ['oldest job', 'JobsStuck', 'JobsLate'],
  ['budget used up', 'BudgetUsedUp'],
  ['Redis persistence off', 'RedisPersistenceOff'],
  ['grants expiring', 'GrantsExpiring'],
  ['spool not empty', 'SpoolNotEmpty'],
  ['encryption key missing', 'EncryptionKeyMissing'],
] as const;

const ANNOTATIONS = ['description', 'description_zh', 'runbook', 'summary', 'summary_zh'];
const folder = fileURLToPath(new URL('.', RULES_FILE));
const promtool = (...args: string[]) => spawnSync('promtool', args, { cwd: folder, encoding: 'utf8', timeout: 50_000 });
const hasPromtool = promtool('--version').status === 0;

describe('alert rules', () => {
  let rules: readonly AlertRule[] = [];
  let known: ReadonlyMap<string, readonly string[]> = new Map();
  before(async () => {
    rules = await readRules();
    known = await knownMetrics();
  });

  it('are there for all that was asked for, each name once', () => {
    const names = rules.map(({ alert }) => alert);
    assert.equal(new Set(names).size, names.length);
    for (const [what, ...alerts] of ASKED_FOR) {
      for (const alert of alerts) assert.ok(names.includes(`FeishuAuthd${alert}`), `${what}: ${alert}`);
    }
  });

  it('speak only of metrics, labels, values and buckets that exist', () => {
    for (const { alert, expr } of rules) assert.deepEqual(unknownIn(expr, known), [], alert);
  });

  it('are told apart from those that do not: the check sees a wrong metric, label, value and bucket', () => {
    const wrong = [
      'lark_service_auth_sessions_total > 1',
      'sum by (user) (lark_service_spool_entries)',
      'lark_service_ws_connected{open_id="x"} == 0',
      'rate(lark_service_token_refresh_total{result=~"retry|failed"}[5m])',
      'lark_service_card_ack_seconds_bucket{le="4"}',
      'lark_service_card_ack_seconds > 1',
    ];
    for (const expr of wrong) assert.equal(unknownIn(expr, known).length, 1, expr);
  });

  it('wait before they wake anybody, and speak of labels that their series have', () => {
    for (const { alert, annotations, expr, for: wait, labels } of rules) {
      assert.match(wait, /^[1-9]\d*[mh]$/, alert);
      assert.match(labels['severity'] ?? '', /^(page|ticket)$/, alert);
      const kept = [...expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '));
      const isGrouped = kept.length > 0;
      for (const [, label = ''] of Object.values(annotations)
        .join(' ')
        .matchAll(/\$labels\.(\w+)/g)) {
        const carried = expr.startsWith('lark_service_') || expr.startsWith('up{') || !isGrouped;
        assert.ok(carried || kept.includes(label), `${alert} has no label ${label}`);
      }
    }
  });

  it('say in English and Chinese what they mean, and have a line in the runbook', async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    for (const { alert, annotations, labels } of rules) {
      assert.deepEqual(Object.keys(annotations).sort(), ANNOTATIONS, alert);
      for (const [name, text] of Object.entries(annotations)) {
        assert.equal(/\p{Script=Han}/u.test(text), name.endsWith('_zh'), `${alert} ${name}`);
      }
      const [file, anchor = ''] = (annotations['runbook'] ?? '').split('#');
      assert.equal(file, 'README.md');
      const row = readme.split('\n').find((line) => line.includes(`<a id="${anchor}"></a>`));
      const cells = row?.split('|').slice(1, -1) ?? [];
      assert.ok(row?.includes(`\`${alert}\``) === true && cells.length === 4, `${alert} has no line in the runbook`);
      assert.ok(
        cells.every((cell) => cell.trim() !== ''),
        alert,
      );
      assert.ok(row?.includes(labels['severity'] ?? alert), alert);
    }
    const linked = [...readme.matchAll(/<a id="feishuauthd\w+"><\/a>/g)].length;
    assert.equal(linked, rules.length, 'the runbook has lines of alerts that do not exist');
  });

  it('are proved with shorter times and nothing else changed', async () => {
    const shipped = (await readFile(RULES_FILE, 'utf8')).split('\n');
    const quick = quickRules(shipped.join('\n')).split('\n');
    const timeless = (line: string): string =>
      line.replace(/\b\d+[smhd]\b/g, 'time').replace(/(job_age_seconds\) >) \d+/, '$1 age');
    assert.deepEqual(quick.map(timeless), shipped.map(timeless));
    const times = quick
      .flatMap((line) => [...line.matchAll(/(?:\[|offset |for: )(\d+)s/g)])
      .map(([, time]) => Number(time));
    assert.ok(times.length >= rules.length && Math.max(...times) <= 60, String(times));
  });

  it('are proved, each by a fault', async () => {
    const proof = await readFile(new URL('../../ops/proof.md', import.meta.url), 'utf8');
    for (const { alert } of rules) assert.match(proof, new RegExp(`^\\| ${alert} \\| .*\\d s`, 'm'));
    assert.doesNotMatch(proof, /NEVER/);
  });

  // A skipped test counts as a failure in CI, so without promtool these two are not there; the next line says so.
  if (hasPromtool) {
    it('are taken by promtool, and fire and end as their tests say', () => {
      const check = promtool('check', 'rules', 'feishu-authd.rules.yml');
      assert.equal(check.status, 0, check.stderr);
      const test = promtool('test', 'rules', 'feishu-authd.rules.test.yml');
      assert.equal(test.status, 0, test.stderr);
    });

    it('have a test in which each of them fires', async () => {
      const tests = await readFile(new URL('feishu-authd.rules.test.yml', RULES_FILE), 'utf8');
      for (const { alert, labels } of rules) {
        assert.ok(tests.includes(`alertname="${alert}", severity="${labels['severity'] ?? ''}"`), alert);
      }
    });
  } else {
    it('say that promtool was not there', (t) => {
      t.diagnostic('promtool is not on PATH: rules were not run (Debian: apt-get install prometheus)');
    });
  }
});
