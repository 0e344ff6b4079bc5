/** What a benchmark is and what it tells: rows of one table, each judged by its own goal. Shapes and arithmetic only. */

export type Unit = '/s' | 'us' | 'ms' | 's' | 'MB' | 'B' | '%' | '';

/** `ratio`: measured over baseline. `least` and `most` include the value itself. */
export interface Goal {
  readonly of: 'measured' | 'ratio';
  readonly bound: 'least' | 'most' | 'exactly';
  readonly value: number;
}

export interface Row {
  readonly what: string;
  readonly measured: number;
  readonly unit: Unit;
  /** Measured in the same run, unless `what` says that it is a limit or a goal of somebody else. */
  readonly baseline?: { readonly what: string; readonly value: number };
  readonly goal?: Goal;
}

export interface BenchContext {
  /** Empty, its own, removed afterwards. */
  readonly folder: string;
  /** A line of progress. */
  say(text: string): void;
  /** Called in reverse order when the benchmark is over, whatever came of it. */
  after(close: () => Promise<void> | void): void;
  /** Ends the benchmark now: it can not be measured. */
  fail(error: Error): void;
}

export interface Benchmark {
  readonly name: string;
  /** One sentence for the list of benchmarks. */
  readonly what: string;
  /** What it takes on two idle cores; it is given up after three times as long. */
  readonly seconds: number;
  run(context: BenchContext): Promise<readonly Row[]>;
}

export const ratioOf = (row: Row): number | null =>
  row.baseline === undefined ? null : row.measured / row.baseline.value;

/** null: the row has no goal. */
export function isMet(row: Row): boolean | null {
  if (row.goal === undefined) return null;
  const { bound, of, value } = row.goal;
  const judged = of === 'measured' ? row.measured : (ratioOf(row) ?? Number.NaN);
  switch (bound) {
    case 'least':
      return judged >= value;
    case 'most':
      return judged <= value;
    case 'exactly':
      return judged === value;
  }
}
