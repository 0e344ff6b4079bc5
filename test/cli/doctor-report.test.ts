/** What surrounds the checks of `doctor`: exit codes, the line of progress, and checks that fail themselves. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { createProgress } from '../../src/cli/doctor-progress.js';
import { exitCodeOf, reportJson, reportText } from '../../src/cli/doctor-view.js';
import { type Blame, CHECKS, fail, pass, skip, text, warn } from '../../src/doctor/finding.js';
import { guarded } from '../../src/doctor/guard.js';

const WORDS = text('it is so', '就是这样');
const failed = (blame: Blame) =>
  fail('credentials', blame, WORDS, WORDS, { appId: 'cli_1', feishuCode: 7, logId: 'L' });

describe('the exit code', () => {
  const cases: [blames: Blame[], code: number][] = [
    [[], 0],
    [['refused'], 1],
    [['refused', 'network'], 4],
    [['refused', 'network', 'configuration'], 2],
    [['configuration', 'internal'], 5],
  ];
  for (const [blames, code] of cases) {
    it(`is ${code} for ${blames.join(' and ') || 'warnings'}`, () => {
      assert.equal(exitCodeOf([pass('redis', WORDS), warn('spool', WORDS, WORDS), ...blames.map(failed)]), code);
    });
  }
});

describe('the report', () => {
  const findings = [pass('redis', WORDS), failed('refused'), skip('spool', WORDS)];

  it('has a line each, aligned as a terminal shows it', () => {
    assert.equal(
      reportText(findings, 'en'),
      [
        'pass  Redis        it is so',
        "FAIL  Credentials  it is so (Feishu's code 7, log id L)",
        '                   → it is so',
        'skip  Spool        it is so',
        '',
        '1 passed, 0 warned, 1 failed, 1 skipped',
        '',
      ].join('\n'),
    );
    assert.equal(
      reportText(findings, 'zh').split('\n').slice(0, 3).join('\n'),
      [
        '通过  Redis     就是这样',
        '失败  应用凭证  就是这样（飞书错误码 7，日志号 L）',
        '                → 就是这样',
      ].join('\n'),
    );
  });

  it('has everything for machines', () => {
    const head = { version: '1.2.3', checkedAt: Date.parse('2026-03-02T08:00:00Z'), language: 'en' } as const;
    const { checks, ...rest } = reportJson(findings, head);
    const summary = { pass: 1, warn: 0, fail: 1, skip: 1 };
    assert.deepEqual(rest, { version: '1.2.3', checked_at: '2026-03-02T08:00:00.000Z', exit_code: 1, summary });
    const line = { check: 'credentials', app_id: 'cli_1', status: 'fail', message: 'it is so', remedy: 'it is so' };
    assert.deepEqual(checks[1], { ...line, blame: 'refused', feishu_code: 7, log_id: 'L', settings: null });
  });

  it('names every check in both languages', () => {
    for (const [name, label] of Object.entries(CHECKS)) assert.ok(label.en !== '' && label.zh !== '', name);
  });
});

describe('the line of progress', () => {
  const shown = (isTTY: boolean): string => {
    const stderr = Object.assign(new PassThrough(), { isTTY });
    const progress = createProgress(stderr, 'en');
    for (const check of ['redis', 'host.open', 'credentials', 'credentials'] as const) progress.begins(check);
    progress.ends('redis');
    progress.clear();
    return String(stderr.read() ?? '');
  };

  it('names what is under way and is taken away in the end', () => {
    const states = shown(true).split('\r\u001b[2K');
    assert.deepEqual(states.slice(1), [
      '… Redis',
      '… Redis, Host open',
      '… Redis, Host open, Credentials',
      '… Redis, Host open, Credentials',
      '… Host open, Credentials',
      '',
    ]);
  });

  it('is not written where nobody looks', () => assert.equal(shown(false), ''));
});

describe('a check that fails itself', () => {
  it('is a line like the others, without the words of the error', async () => {
    const steps: string[] = [];
    const progress = {
      begins: (check: string) => steps.push(`begins ${check}`),
      ends: (check: string) => steps.push(`ends ${check}`),
    };
    const error = Object.assign(new TypeError('secret'), { code: 'EBUG' });
    const [line] = await guarded('spool', progress, () => Promise.reject(error));
    assert.deepEqual([line?.check, line?.blame], ['spool', 'internal']);
    assert.equal(line?.means.en, 'The check itself has failed (TypeError EBUG)');
    assert.deepEqual(steps, ['begins spool', 'ends spool']);
  });
});
