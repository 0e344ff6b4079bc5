/**
 * `npm run matrix [-- word …]`: installs what is missing, builds, and runs test/matrix: each point of a refresh x each
 * fault, with what became of the grant. Imports nothing but Node until the packages are there. Progress goes to standard
 * error, the table to standard output.
 */
import { availableParallelism } from 'node:os';
import { build } from './build.mjs';
import { SetupError, setup } from './setup.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** A cell mostly waits, for leases above all. */
const CELLS_PER_CORE = 4;

async function main() {
  await setup({ redis: true });
  if (!(await build())) throw new SetupError('The build failed, see above.');

  const stopped = new AbortController();
  for (const signal of SIGNALS) process.on(signal, () => stopped.abort());
  const { tsImport } = await import('tsx/esm/api');
  const { runMatrix } = await tsImport('../test/matrix/main.ts', import.meta.url);
  const code = await runMatrix({
    words: process.argv.slice(2),
    signal: stopped.signal,
    sideBySide: Number(process.env.MATRIX_SIDE_BY_SIDE ?? availableParallelism() * CELLS_PER_CORE),
    print: (line) => console.log(line),
    complain: (line) => console.error(line),
  });
  // What was interrupted has closed all it had opened, but may still be waiting for something.
  if (stopped.signal.aborted) process.exit(code);
  return code;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
