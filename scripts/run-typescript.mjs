/**
 * What the scripts that run a part of test/ share: packages and build first, signals as an AbortSignal, TypeScript loaded
 * by tsx, the exit code. Imports nothing but Node until the packages are there.
 */
import { build } from './build.mjs';
import { SetupError, setup } from './setup.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Installs what `needs` names, builds, and loads a module by its path from this folder. */
export async function prepare(modulePath, needs) {
  const { redisServer } = await setup(needs);
  if (!(await build())) throw new SetupError('The build failed, see above.');

  const stopped = new AbortController();
  for (const signal of SIGNALS) process.on(signal, () => stopped.abort(new Error(signal)));
  const { tsImport } = await import('tsx/esm/api');
  return {
    module: await tsImport(modulePath, import.meta.url),
    redisServer,
    /** Data to standard output, everything else to standard error. */
    runOptions: {
      signal: stopped.signal,
      print: (line) => console.log(line),
      complain: (line) => console.error(line),
    },
  };
}

/** `main` resolves to the exit code; what cannot be set up is told in a sentence. */
export async function exitWith(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
