/**
 * `npm run demo [-- --auto]`: installs what is missing, builds, and runs the demo of test/simulator/demo. Imports
 * nothing but Node until the packages are there. DEMO_REDIS_URL uses a Redis that runs; DEMO_PORT fixes the page's port.
 */
import { build } from './build.mjs';
import { SetupError, setup } from './setup.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

async function main() {
  const words = process.argv.slice(2);
  const unknown = words.filter((word) => word !== '--auto');
  if (unknown.length > 0) throw new SetupError(`Unknown: ${unknown.join(' ')}. There is: npm run demo [-- --auto]`);
  const port = Number(process.env.DEMO_PORT ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new SetupError('DEMO_PORT is no port.');
  const redisUrl = process.env.DEMO_REDIS_URL;
  const { redisServer } = await setup({ redis: !redisUrl, chromium: false });
  if (!(await build())) throw new SetupError('The build failed, see above.');

  const stopped = new AbortController();
  for (const signal of SIGNALS) process.on(signal, () => stopped.abort(new Error(signal)));
  const { tsImport } = await import('tsx/esm/api');
  const { runDemo } = await tsImport('../test/simulator/demo/run.ts', import.meta.url);
  return runDemo({
    auto: words.includes('--auto'),
    redis: redisUrl ? { url: redisUrl } : { command: redisServer },
    port,
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
