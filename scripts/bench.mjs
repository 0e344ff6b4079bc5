/**
 * `npm run bench [-- name …]`: installs what is missing, builds, and runs the benchmarks of test/bench. Imports nothing
 * but Node until the packages are there. Progress goes to standard error, the table to standard output.
 */
import { build } from './build.mjs';
import { SetupError, setup } from './setup.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

async function main() {
  await setup({ redis: true });
  if (!(await build())) throw new SetupError('The build failed, see above.');

  const stopped = new AbortController();
  for (const signal of SIGNALS) process.on(signal, () => stopped.abort());
  const { tsImport } = await import('tsx/esm/api');
  const { runBench } = await tsImport('../test/bench/main.ts', import.meta.url);
  return runBench({
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
