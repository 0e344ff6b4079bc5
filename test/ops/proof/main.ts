/**
 * `npm run alerts-proof [-- name …]`: each alert is made to fire and to end by a real fault. Feishu in a box, a real
 * Redis, the daemon as shipped in three processes, a real Prometheus with the real rules (their times shortened,
 * quick-rules.ts). Progress goes to `complain`, the transcript to `print`, as Markdown: `npm run --silent alerts-proof >
 * ops/proof.md`.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/crowd.js';
import { readDashboard } from '../dashboard-file.js';
import { newPrometheusServer, type PrometheusServer } from './prometheus-server.js';
import { quickRules } from './quick-rules.js';
import type { Scenario } from './scenario.js';
import { allDown, cardsRefused, flood, noWorker, slowOAuth, stalled } from './scenarios/flow.js';
import { cutAll, cutOne, deaf, silent, unstable } from './scenarios/long-connection.js';
import { keyMissing, notPersistent, redisAway, redisFull } from './scenarios/store.js';
import { allRefused, expiring, someFail } from './scenarios/tokens.js';
import { newStage, type Stage } from './stage.js';
import { labelText, type Proved, renderProof } from './transcript.js';

export interface ProofOptions {
  /** Names of faults; none: all. */
  readonly names: readonly string[];
  readonly signal: AbortSignal;
  print(line: string): void;
  complain(line: string): void;
}

/** In this order: an alert that needs nobody to have clicked comes first, those that stop everything last. */
const SCENARIOS: readonly Scenario[] = [
  ...[silent, deaf, notPersistent, expiring, someFail, allRefused, slowOAuth, cardsRefused, stalled],
  ...[cutOne, cutAll, unstable, redisFull, noWorker, redisAway, keyMissing, flood, allDown],
];
const RULES = new URL('../../../ops/prometheus/feishu-authd.rules.yml', import.meta.url);
const PREFIX = 'FeishuAuthd';
const FIRES_MS = 150_000;
const ENDS_MS = 180_000;
const QUIET_MS = 15_000;

interface Run extends Pick<ProofOptions, 'complain'> {
  readonly stage: Stage;
  readonly prometheus: PrometheusServer;
  readonly severityOf: (alert: string) => string;
}

/** The exit code: 0 each alert has fired and ended, 1 one has not, 2 an unknown name. */
export async function runProof(options: ProofOptions): Promise<number> {
  const { names, print, signal } = options;
  const startedAt = Date.now();
  const steps: string[] = [];
  const complain = (line: string): void => {
    steps.push(`${String(Math.round((Date.now() - startedAt) / 1000)).padStart(5)} s  ${line}`);
    options.complain(steps.at(-1) ?? '');
  };
  const chosen = SCENARIOS.filter(({ name }) => names.length === 0 || names.includes(name));
  if (names.some((name) => !SCENARIOS.some((scenario) => scenario.name === name))) {
    complain(`There is: ${SCENARIOS.map(({ name }) => name).join(' ')}`);
    return 2;
  }
  const stage = await newStage();
  try {
    const rules = quickRules(await readFile(RULES, 'utf8'));
    const prometheus = await newPrometheusServer({ rules, targets: stage.targets });
    try {
      const loaded = await prometheus.rules();
      complain(`${loaded.length} rules; ${stage.targets.length} processes are scraped; all is well for 15 s`);
      await sleep(QUIET_MS);
      const early = await prometheus.firing();
      for (const { name } of early) complain(`FIRES WITHOUT A FAULT ${name}`);
      const severityOf = (alert: string): string => loaded.find(({ name }) => name === alert)?.labels['severity'] ?? '';
      const proved = await proveAll({ stage, prometheus, severityOf, complain }, chosen, signal);
      print(`${introduction(await prometheus.version())}\n\n${renderProof(proved)}\n`);
      print(await tryDashboard(prometheus));
      const sick = (await prometheus.rules()).filter(({ health }) => health !== 'ok').map(({ name }) => name);
      print(`Rules whose evaluation failed: ${sick.join(' ') || 'none'}.`);
      const missing = loaded.filter(({ name }) => !proved.some(({ alert }) => alert === name));
      if (names.length === 0)
        print(`Rules without a fault here: ${missing.map(({ name }) => name).join(' ') || 'none'}.`);
      print(`\n## Step by step\n\n\`\`\`text\n${steps.join('\n')}\n\`\`\``);
      const isProved = proved.every(({ endedAfter, firedAfter }) => firedAfter !== null && endedAfter !== null);
      const isWhole = names.length > 0 || missing.length === 0;
      return isProved && isWhole && sick.length + early.length === 0 && !signal.aborted ? 0 : 1;
    } finally {
      await prometheus.close();
    }
  } finally {
    await stage.close();
  }
}

/** The end of an alert is awaited while the next fault is made, unless one of the two wants to be alone. */
async function proveAll(run: Run, scenarios: readonly Scenario[], signal: AbortSignal): Promise<Proved[]> {
  const results: Promise<Proved[]>[] = [];
  for (const scenario of scenarios) {
    if (signal.aborted) break;
    if (scenario.alone === true) await Promise.all(results);
    const { ends } = await prove(run, scenario, signal);
    results.push(ends);
    if (scenario.alone === true) await ends;
  }
  return (await Promise.all(results)).flat();
}

/** Makes the fault, waits until its alerts fire, heals it. `ends` resolves when they have ended, and never rejects. */
async function prove(run: Run, scenario: Scenario, signal: AbortSignal): Promise<{ ends: Promise<Proved[]> }> {
  const { complain, prometheus, severityOf, stage } = run;
  const { alerts, fault, healing, meanwhile } = scenario;
  const names = alerts.map((alert) => PREFIX + alert);
  complain(`${scenario.name}: ${fault}`);
  const brokenAt = Date.now();
  const heal = await scenario.make(stage);
  const fired = new Map<string, { after: number; labels: string }>();
  const look = async (): Promise<boolean> => {
    for (const { labels, name } of await prometheus.firing()) {
      if (!names.includes(name) || fired.has(name)) continue;
      fired.set(name, { after: (Date.now() - brokenAt) / 1000, labels: labelText(labels) });
      complain(`  FIRING  ${name} ${labelText(labels)}`);
    }
    return fired.size === names.length || signal.aborted;
  };
  let isOver = false;
  const people = (async () => {
    while (meanwhile !== undefined && !isOver) await meanwhile(stage);
  })();
  await eventually(look, FIRES_MS, names.join(', ')).catch((error: Error) => complain(`  ${error.message}`));
  isOver = true;
  await people.catch((error: Error) => complain(`  meanwhile: ${error.message}`));
  const healedAt = Date.now();
  await heal();
  complain(`  healed: ${healing}`);
  const ends = Promise.all(
    names.map(async (alert): Promise<Proved> => {
      const isEnded = async (): Promise<boolean> => !(await prometheus.firing()).some(({ name }) => name === alert);
      const endedAfter = await eventually(isEnded, ENDS_MS, `the end of ${alert}`).then(
        () => (Date.now() - healedAt) / 1000,
        () => null,
      );
      complain(endedAfter === null ? `  STILL FIRING ${alert}` : `  ended   ${alert}`);
      const first = fired.get(alert);
      const firedAfter = first?.after ?? null;
      const labels = first?.labels ?? '';
      return { alert, severity: severityOf(alert), fault, healing, firedAfter, endedAfter, labels };
    }),
  );
  return { ends };
}

/** Every query of the dashboard, asked of the Prometheus that has seen all this. */
async function tryDashboard(prometheus: PrometheusServer): Promise<string> {
  const { panels } = await readDashboard();
  const silentPanels: string[] = [];
  let count = 0;
  for (const { exprs, title } of panels) {
    for (const expr of exprs) {
      const filled = expr
        .replace(/\$__rate_interval/g, '10m')
        .replace(/\$__range/g, '30m')
        .replace(/\$\w+/g, '.*');
      count += 1;
      if ((await prometheus.query(filled)) === 0) silentPanels.push(title);
    }
  }
  return `The dashboard's ${count} queries: all understood; without data: ${silentPanels.join(', ') || 'none'}.`;
}

const introduction = (version: string): string => `# Each alert fired and ended by a real fault

Written by \`npm run --silent alerts-proof > ops/proof.md\` on ${new Date().toISOString().slice(0, 10)}: Prometheus ${version} (Debian's), Node
${process.version}, a real Redis, the daemon as shipped in three processes (gateway with API, second gateway, worker), Feishu in a box.
The rules are the shipped ones with shorter times and nothing else: a window or offset is a sixtieth, held between 20 s
and 60 s; \`for\` a sixtieth, held between 2 s and 5 s; the age of the oldest job a twentieth.`;
