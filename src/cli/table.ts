/** Tables and records for people: aligned by what a terminal shows, one line a row, without anything that moves a cursor. */
import { cleanName } from '../domain/plain-text.js';
import { displayWidth, padTo } from './display-width.js';

const GAP = '  ';
/** Longer than any id or list of ours; keeps a foreign text from filling the screen. */
const MAX_CELL = 1_000;

/** A value as a cell: lists by spaces, nothing as `-`, control and bidi characters gone. */
export function cell(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  if (Array.isArray(value)) return value.length === 0 ? '-' : cell(value.map(String).join(' '));
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'object') return cell(JSON.stringify(value));
  return cleanName(String(value), MAX_CELL) || '-';
}

/** Times of the API without milliseconds; anything else as it is. */
export const timeCell = (value: unknown): string =>
  cell(typeof value === 'string' ? value.replace(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+Z$/, '$1Z') : value);

/** Head and rows in columns; every row has as many cells as the head. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => displayWidth(line[column] ?? ''))));
  return lines.map((line) => `${columns(line, widths)}\n`).join('');
}

/** Names and values, one pair a line. */
export function record(pairs: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(0, ...pairs.map(([name]) => displayWidth(name)));
  return pairs.map((pair) => `${columns(pair, [width, 0])}\n`).join('');
}

const columns = (cells: readonly string[], widths: readonly number[]): string =>
  cells
    .map((text, column) => padTo(text, widths[column] ?? 0))
    .join(GAP)
    .trimEnd();
