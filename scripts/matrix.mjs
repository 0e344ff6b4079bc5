/**
 * `npm run matrix [-- word …]`: installs what is missing, builds, and runs test/matrix: each point of a refresh x each
 * fault, with what became of the grant. Imports nothing but Node until the packages are there. Progress goes to standard
 * error, the table to standard output.
 */
import { availableParallelism } from 'node:os';
import { exitWith, prepare } from './run-typescript.mjs';

/** A cell mostly waits, for leases above all. */
const CELLS_PER_CORE = 4;

await exitWith(async () => {
  const { module, runOptions } = await prepare('../test/matrix/main.ts', { redis: true });
  const code = await module.runMatrix({
    ...runOptions,
    words: process.argv.slice(2),
    sideBySide: Number(process.env.MATRIX_SIDE_BY_SIDE ?? availableParallelism() * CELLS_PER_CORE),
  });
  // What was interrupted has closed all it had opened, but may still be waiting for something.
  if (runOptions.signal.aborted) process.exit(code);
  return code;
});
