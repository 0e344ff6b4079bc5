/**
 * `npm run alerts-proof [-- name …]`: installs what is missing, builds, and proves each alert by a real fault
 * (test/ops/proof). Needs `prometheus` on PATH (Debian: apt-get install prometheus); takes about ten minutes. Imports
 * nothing but Node until the packages are there. Progress goes to standard error, the table to standard output.
 */
import { spawnSync } from 'node:child_process';
import { build } from './build.mjs';
import { SetupError, setup } from './setup.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

async function main() {
  if (spawnSync('prometheus', ['--version']).status !== 0) {
    throw new SetupError('prometheus is needed and is not on PATH. Install it (Debian: apt-get install prometheus).');
  }
  await setup({ redis: true });
  if (!(await build())) throw new SetupError('The build failed, see above.');

  const stopped = new AbortController();
  for (const signal of SIGNALS) process.on(signal, () => stopped.abort());
  const { tsImport } = await import('tsx/esm/api');
  const { runProof } = await tsImport('../test/ops/proof/main.ts', import.meta.url);
  return runProof({
    names: process.argv.slice(2),
    signal: stopped.signal,
    print: (line) => console.log(line),
    complain: (line) => console.error(line),
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
