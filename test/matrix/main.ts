/**
 * `npm run matrix [-- word …]`: each point of the refresh x each fault, a few cells side by side; progress to `complain`,
 * the table to `print` at the very end. Words choose the cells whose names contain all of them.
 */
import { runCell, type Verdict } from './cell.js';
import { FAULTS } from './faults.js';
import { POINTS } from './points.js';
import { nameOf, renderTable } from './table.js';

export interface MatrixOptions {
  readonly words: readonly string[];
  readonly signal: AbortSignal;
  /** Cells at once: most of a cell's time is waiting. */
  readonly sideBySide: number;
  print(line: string): void;
  complain(line: string): void;
}

/** The exit code: 0 every cell is right, 1 one is not or the run was cut short, 2 no such cell. */
export async function runMatrix({ complain, print, sideBySide, signal, words }: MatrixOptions): Promise<number> {
  const chosen = FAULTS.flatMap((fault) => POINTS.map((point) => ({ fault, point }))).filter((cell) =>
    words.every((word) => nameOf(cell).toLowerCase().includes(word.toLowerCase())),
  );
  if (chosen.length === 0) {
    complain('No cell has all these words in its name: fault, at point.');
    for (const { name } of FAULTS) complain(`  ${name}`);
    for (const { name, short } of POINTS) complain(`  at ${short.padEnd(9)} ${name}`);
    return 2;
  }
  const startedAt = performance.now();
  const seconds = (): number => Math.round((performance.now() - startedAt) / 1_000);
  // What waits longest goes first, so that nobody waits for it alone at the end.
  const waiting = [...chosen].sort((a, b) => Number(b.fault.isSlow === true) - Number(a.fault.isSlow === true));
  const verdicts: Verdict[] = [];
  const work = async (): Promise<void> => {
    for (let cell = waiting.shift(); cell !== undefined && !signal.aborted; cell = waiting.shift()) {
      const verdict = await runCell(cell.point, cell.fault, signal);
      verdicts.push(verdict);
      const { outcome, notes } = verdict;
      complain(
        `${String(seconds()).padStart(4)} s  ${verdicts.length}/${chosen.length}  ${nameOf(verdict)}: ${outcome}`,
      );
      if (outcome === 'wrong') for (const note of notes) complain(`        ${note}`);
    }
  };
  await Promise.all(Array.from({ length: sideBySide }, work));
  const points = POINTS.filter((point) => chosen.some((cell) => cell.point === point));
  const faults = FAULTS.filter((fault) => chosen.some((cell) => cell.fault === fault));
  print(`\n${renderTable(points, faults, verdicts)}\n`);
  const wrong = verdicts.filter(({ outcome }) => outcome === 'wrong').length;
  print(`${verdicts.length} of ${chosen.length} cells, ${wrong} wrong, ${seconds()} s`);
  return wrong === 0 && verdicts.length === chosen.length ? 0 : 1;
}
