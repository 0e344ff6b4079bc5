/** The report of `doctor`: lines for people, JSON for machines, and the exit code. */
import {
  type Blame,
  CHECKS,
  type Finding,
  type FindingStatus,
  type Language,
  type Text,
  text,
  worstBlame,
} from '../doctor/finding.js';
import type { ExitCode } from './command-failure.js';
import { displayWidth, padTo } from './display-width.js';
import { EXIT } from './exit-codes.js';

const STATUS: Readonly<Record<FindingStatus, Text>> = {
  pass: text('pass', '通过'),
  warn: text('warn', '警告'),
  fail: text('FAIL', '失败'),
  skip: text('skip', '跳过'),
};

const EXIT_OF: Readonly<Record<Blame, ExitCode>> = {
  internal: EXIT.internal,
  configuration: EXIT.usage,
  network: EXIT.network,
  refused: EXIT.refused,
};

export interface ReportHead {
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly checkedAt: number;
  readonly language: Language;
}

export function exitCodeOf(findings: readonly Finding[]): ExitCode {
  const blame = worstBlame(findings);
  return blame === null ? EXIT.done : EXIT_OF[blame];
}

/** Names in snake_case; `message` and `remedy` in one language, everything else in none. */
export const reportJson = (findings: readonly Finding[], { checkedAt, language, version }: ReportHead) => ({
  version,
  checked_at: new Date(checkedAt).toISOString(),
  exit_code: exitCodeOf(findings),
  summary: countsOf(findings),
  checks: findings.map((finding) => ({
    check: finding.check,
    app_id: finding.appId,
    status: finding.status,
    message: finding.means[language],
    remedy: finding.remedy?.[language] ?? null,
    blame: finding.blame,
    feishu_code: finding.feishuCode,
    log_id: finding.logId,
    settings: finding.settings,
  })),
});

export function reportText(findings: readonly Finding[], language: Language): string {
  const apps = new Set(findings.flatMap(({ appId }) => appId ?? []));
  const labels = findings.map(({ check }) => CHECKS[check][language]);
  const width = Math.max(...labels.map(displayWidth));
  const indent = ' '.repeat(displayWidth(STATUS.pass[language]) + width + 4);
  const lines = findings.flatMap((finding, index) => [
    `${STATUS[finding.status][language]}  ${padTo(labels[index] ?? '', width)}  ${meaning(finding, apps.size > 1, language)}`,
    ...(finding.remedy === null ? [] : [`${indent}→ ${finding.remedy[language]}`]),
  ]);
  return `${[...lines, '', summaryText(findings, language)].join('\n')}\n`;
}

export const failureText = (findings: readonly Finding[], language: Language): string => {
  const { fail } = countsOf(findings);
  if (language === 'zh') return `有 ${fail} 项检查失败`;
  return fail === 1 ? 'One check has failed' : `${fail} checks have failed`;
};

function meaning({ appId, feishuCode, logId, means }: Finding, namesApp: boolean, language: Language): string {
  const app = namesApp && appId !== null ? `${appId}: ` : '';
  const zh = language === 'zh';
  const facts = [
    ...(feishuCode === null ? [] : [zh ? `飞书错误码 ${feishuCode}` : `Feishu's code ${feishuCode}`]),
    ...(logId === null ? [] : [zh ? `日志号 ${logId}` : `log id ${logId}`]),
  ];
  if (facts.length === 0) return app + means[language];
  return app + means[language] + (zh ? `（${facts.join('，')}）` : ` (${facts.join(', ')})`);
}

function summaryText(findings: readonly Finding[], language: Language): string {
  const { fail, pass, skip, warn } = countsOf(findings);
  if (language === 'zh') return `通过 ${pass}，警告 ${warn}，失败 ${fail}，跳过 ${skip}`;
  return `${pass} passed, ${warn} warned, ${fail} failed, ${skip} skipped`;
}

function countsOf(findings: readonly Finding[]): Readonly<Record<FindingStatus, number>> {
  const counts = { pass: 0, warn: 0, fail: 0, skip: 0 };
  for (const { status } of findings) counts[status] += 1;
  return counts;
}
