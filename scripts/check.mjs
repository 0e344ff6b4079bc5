/**
 * Everything that can be said about the code without running it: types, lint and format, dead code, import
 * directions. All parts run, also when one fails; needs no network once packages are installed.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build } from './build.mjs';
import { ROOT, SetupError, setup } from './setup.mjs';

const PARTS = [
  { name: 'types', run: () => tool('tsc', ['-p', 'tsconfig.json', '--pretty']) },
  { name: 'lint and format', run: () => tool('biome', ['check', '--error-on-warnings', '--max-diagnostics=100', '.']) },
  { name: 'dead code', run: () => tool('knip', ['--no-progress']) },
  { name: 'import directions', run: checkImportDirections },
];

/** dependency-cruiser cannot parse TypeScript 7, so it reads the build; type errors are the first part's business. */
async function checkImportDirections() {
  await build({ quiet: true });
  return tool('depcruise', ['--config', '.dependency-cruiser.cjs', 'dist']);
}

/** @returns {Promise<{code: number, output: string}>} */
function tool(name, args) {
  return new Promise((resolve) => {
    const child = spawn(join(ROOT, 'node_modules', '.bin', name), args, {
      cwd: ROOT,
      env: process.stdout.isTTY ? { ...process.env, FORCE_COLOR: '1' } : process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.once('error', (error) => resolve({ code: 1, output: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}

async function timed(part) {
  const startedAt = performance.now();
  const { code, output } = await part.run();
  return { name: part.name, ok: code === 0, output, seconds: (performance.now() - startedAt) / 1000 };
}

async function main() {
  await setup();
  const results = await Promise.all(PARTS.map(timed));
  for (const { name, output } of results.filter((result) => !result.ok)) console.log(`\n--- ${name}\n${output.trim()}`);
  console.log();
  for (const { name, ok, seconds } of results) {
    console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(18)} ${seconds.toFixed(1).padStart(5)} s`);
  }
  process.exitCode = results.every((result) => result.ok) ? 0 : 1;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
