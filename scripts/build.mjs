/**
 * Compiles `src/` to `dist/` with tsc and makes `dist/main.js` executable. Does nothing when `dist/` was made from
 * the sources as they are. Call it from another script, or run it.
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT, SetupError, setup } from './setup.mjs';

const SRC = join(ROOT, 'src');
const DIST = join(ROOT, 'dist');
const STAMP = join(DIST, '.sources.json');

/** @returns {Promise<boolean>} false when there are type errors (already printed unless `quiet`). */
export async function build({ quiet = false } = {}) {
  const sources = describeSources();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sources) return true;
  mkdirSync(DIST, { recursive: true });
  rmSync(STAMP, { force: true });
  const code = await tsc(quiet);
  pruneOrphans();
  const main = join(DIST, 'main.js');
  if (existsSync(main)) chmodSync(main, 0o755);
  if (code === 0) writeFileSync(STAMP, sources);
  return code === 0;
}

/** What the output depends on: each source file by size and time, and the compiler's settings. */
function describeSources() {
  const inputs = [...filesUnder(SRC), ...['tsconfig.json', 'tsconfig.build.json'].map((name) => join(ROOT, name))];
  const lines = inputs.map((file) => {
    const { size, mtimeMs } = statSync(file);
    return `${relative(ROOT, file)} ${size} ${mtimeMs}`;
  });
  return JSON.stringify(lines.sort());
}

/** Output whose source is gone must not be run, packed or checked. */
function pruneOrphans() {
  for (const file of filesUnder(DIST)) {
    const source = join(SRC, relative(DIST, file).replace(/\.js(\.map)?$/, '.ts'));
    if (/\.js(\.map)?$/.test(file) && !existsSync(source)) rmSync(file, { force: true });
  }
}

function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

function tsc(quiet) {
  return new Promise((resolve, reject) => {
    const compiler = join(ROOT, 'node_modules', '.bin', 'tsc');
    const child = spawn(compiler, ['-p', 'tsconfig.build.json'], {
      cwd: ROOT,
      stdio: ['ignore', quiet ? 'ignore' : 2, quiet ? 'ignore' : 2],
    });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await setup();
    process.exitCode = (await build()) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
