/**
 * `npm run demo [-- --auto] [--code]`: installs what is missing, builds, and runs the demo of test/simulator/demo. Imports
 * nothing but Node until the packages are there. --code: by the authorization code grant. DEMO_REDIS_URL uses a Redis that runs; DEMO_PORT fixes the page's port.
 */
import { exitWith, prepare } from './run-typescript.mjs';
import { SetupError } from './setup.mjs';

await exitWith(async () => {
  const words = process.argv.slice(2);
  const unknown = words.filter((word) => word !== '--auto' && word !== '--code');
  if (unknown.length > 0)
    throw new SetupError(`Unknown: ${unknown.join(' ')}. There is: npm run demo [-- --auto] [--code]`);
  const port = Number(process.env.DEMO_PORT ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new SetupError('DEMO_PORT is no port.');
  const url = process.env.DEMO_REDIS_URL;
  const needs = { redis: !url, chromium: false };
  const { module, redisServer, runOptions } = await prepare('../test/simulator/demo/run.ts', needs);
  const redis = url ? { url } : { command: redisServer };
  return module.runDemo({
    ...runOptions,
    auto: words.includes('--auto'),
    byCode: words.includes('--code'),
    redis,
    port,
  });
});
