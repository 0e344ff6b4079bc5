/**
 * `npm run bench [-- name …]`: installs what is missing, builds, and runs the benchmarks of test/bench. Imports nothing
 * but Node until the packages are there. Progress goes to standard error, the table to standard output.
 */
import { exitWith, prepare } from './run-typescript.mjs';

await exitWith(async () => {
  const { module, runOptions } = await prepare('../test/bench/main.ts', { redis: true });
  return module.runBench({ ...runOptions, names: process.argv.slice(2) });
});
