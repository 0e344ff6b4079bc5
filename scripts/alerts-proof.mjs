/**
 * `npm run alerts-proof [-- name …]`: installs what is missing, builds, and proves each alert by a real fault
 * (test/ops/proof). Needs `prometheus` on PATH (Debian: apt-get install prometheus); takes about ten minutes. Imports
 * nothing but Node until the packages are there. Progress goes to standard error, the table to standard output.
 */
import { spawnSync } from 'node:child_process';
import { exitWith, prepare } from './run-typescript.mjs';
import { SetupError } from './setup.mjs';

await exitWith(async () => {
  if (spawnSync('prometheus', ['--version']).status !== 0) {
    throw new SetupError('prometheus is needed and is not on PATH. Install it (Debian: apt-get install prometheus).');
  }
  const { module, runOptions } = await prepare('../test/ops/proof/main.ts', { redis: true });
  return module.runProof({ ...runOptions, names: process.argv.slice(2) });
});
