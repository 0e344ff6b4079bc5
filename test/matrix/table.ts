/** The matrix as text: faults down, points across; below it what is wrong and what there was nothing to try of. */
import type { Verdict } from './cell.js';
import type { Fault } from './faults.js';
import type { Point } from './points.js';

export function renderTable(points: readonly Point[], faults: readonly Fault[], verdicts: readonly Verdict[]): string {
  const head = ['', ...points.map((point) => point.short)];
  const rows = faults.map((fault) => [
    fault.name,
    ...points.map((point) => cellText(verdicts.find((each) => each.point === point && each.fault === fault))),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const legend = points.map((point) => `  ${point.short.padEnd(9)}  ${point.name}`);
  return [
    'kept: a token can be read again, and the refresh token that is stored is the one that lives at Feishu.',
    'asked: Feishu has consumed the token and nobody holds its successor; the user has got one card by itself.',
    'Seconds from the fault until every client was told so.',
    '',
    ...legend,
    '',
    line(head),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...rows.map(line),
    ...notes(verdicts),
  ].join('\n');
}

function cellText(verdict: Verdict | undefined): string {
  if (verdict === undefined) return '';
  if (verdict.outcome === 'n/a') return 'n/a';
  if (verdict.outcome === 'wrong') return 'WRONG';
  return `${verdict.outcome} ${verdict.seconds.toFixed(1)}`;
}

/** `fault, at point`: how a cell is named, also to run it alone. */
export const nameOf = ({ fault, point }: Pick<Verdict, 'fault' | 'point'>): string =>
  `${fault.name}, at ${point.short}`;

function notes(verdicts: readonly Verdict[]): string[] {
  const told = verdicts.filter(({ outcome }) => outcome === 'n/a' || outcome === 'wrong');
  if (told.length === 0) return [];
  return [
    '',
    ...told.map(
      (verdict) =>
        `${verdict.outcome}: ${nameOf(verdict)}: ${verdict.notes.map((note) => note.split('\n')[0]).join('; ')}`,
    ),
  ];
}
