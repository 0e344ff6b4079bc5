/** The result as text: one table of rows, and the numbers as people read them. */
import { isMet, type Row, ratioOf, type Unit } from './benchmark.js';

const HEAD = ['', 'measured', 'baseline', 'ratio', 'goal', 'met'] as const;
/** Columns of numbers stand to the right. */
const RIGHT = new Set([1, 3, 4]);

export function renderTable(rows: readonly Row[]): string {
  const lines = [[...HEAD], ...rows.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const text = lines.map((line) => line.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join('  '));
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [text[0], rule, ...text.slice(1)].map((line) => line?.trimEnd()).join('\n');
}

function cells(row: Row): string[] {
  const ratio = ratioOf(row);
  const met = isMet(row);
  return [
    row.what,
    quantity(row.measured, row.unit),
    row.baseline === undefined ? '' : `${quantity(row.baseline.value, row.unit)} ${row.baseline.what}`,
    ratio === null || !Number.isFinite(ratio) ? '' : `${ratio.toFixed(2)} x`,
    goalText(row),
    verdict(met),
  ];
}

function verdict(met: boolean | null): string {
  if (met === null) return '';
  return met ? 'yes' : 'NO';
}

function goalText({ goal, unit }: Row): string {
  if (goal === undefined) return '';
  return `${SIGNS[goal.bound]} ${goal.of === 'ratio' ? `${goal.value} x` : quantity(goal.value, unit)}`;
}

const SIGNS = { least: '>=', most: '<=', exactly: '=' } as const;

const pad = (cell: string, width: number, column: number): string =>
  RIGHT.has(column) ? cell.padStart(width) : cell.padEnd(width);

/** Three digits, or all before the point. */
export function quantity(value: number, unit: Unit): string {
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : 3 - String(Math.trunc(value)).length;
  const text = value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return unit === '' || unit === '/s' || unit === '%' ? `${text}${unit}` : `${text} ${unit}`;
}
