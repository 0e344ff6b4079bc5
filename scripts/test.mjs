/**
 * Runs every test from a fresh clone: packages, redis-server, build, then Node's own runner over an explicit, sorted
 * list of files. `npm test -- store queue` runs only files whose path contains one of the words. Afterwards nothing
 * that a test started may be left running. The last line holds the counts.
 *
 * Tests see: TEST_CHROMIUM, the browser's path, or TEST_CHROMIUM_MISSING, the reason why there is none (browser tests
 * skip with it). CI_REQUIRE_BROWSER=1 makes that, and any skipped test, a failure.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { build } from './build.mjs';
import { findLeftovers } from './leftovers.mjs';
import { ROOT, SetupError, setup } from './setup.mjs';

const CONCURRENCY = 3;
/** For one test, and (Node's runner counts that way) for one file as well. */
const TIMEOUT_MS = 180_000;
/** A process that was told to stop may need a moment to be gone. */
const LEFTOVER_GRACE_MS = 3000;

function testFiles(words) {
  return readdirSync(join(ROOT, 'test'), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('test', name))
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
    .sort();
}

/** Runs the files; the spec report goes to the terminal, TAP to `tapFile` for the counts. */
function runNodeTests(files, { tapFile, env }) {
  const args = [
    ...['--import', 'tsx', '--test', `--test-concurrency=${CONCURRENCY}`, `--test-timeout=${TIMEOUT_MS}`],
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...['--test-reporter=tap', `--test-reporter-destination=${tapFile}`],
    ...files,
  ];
  return new Promise((resolve, reject) => {
    // Its own process group and session: whatever is started below can be recognised, and Ctrl-C reaches all of it.
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 1, 2], detached: true });
    const pass = (signal) => process.kill(-child.pid, signal);
    process.once('SIGINT', pass);
    process.once('SIGTERM', pass);
    child.once('error', reject);
    child.once('exit', (code) => {
      process.off('SIGINT', pass);
      process.off('SIGTERM', pass);
      resolve({ code: code ?? 1, pid: child.pid });
    });
  });
}

/** The runner's totals, from the last lines of its TAP output: `# tests 12`. */
function readCounts(tapFile) {
  const counts = { tests: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };
  for (const line of readFileSync(tapFile, 'utf8').split('\n').slice(-20)) {
    const match = /^# (\w+) (\d+)$/.exec(line);
    if (match && match[1] in counts) counts[match[1]] = Number(match[2]);
  }
  return counts;
}

async function killLeftovers(marks) {
  const deadline = Date.now() + LEFTOVER_GRACE_MS;
  let left = findLeftovers(marks);
  while (left.length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    left = findLeftovers(marks);
  }
  for (const { pid, command } of left) {
    console.error(`A test left a process running: ${pid} ${command}`);
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself just now.
    }
  }
  return left.length;
}

async function main() {
  const files = testFiles(process.argv.slice(2));
  if (files.length === 0) throw new SetupError('No test file matches.');
  const machine = await setup({ redis: true, chromium: true });
  if (machine.chromiumMissing) console.error(`Browser tests will be skipped: ${machine.chromiumMissing}`);
  if (!(await build())) throw new SetupError('The build failed: no test was run.');

  const runId = randomBytes(8).toString('hex');
  const folder = mkdtempSync(join(tmpdir(), 'authd-test-'));
  const startedAt = performance.now();
  try {
    const env = {
      ...process.env,
      TEST_RUN_ID: runId,
      TMPDIR: folder,
      ...(machine.chromium
        ? { TEST_CHROMIUM: machine.chromium }
        : { TEST_CHROMIUM_MISSING: machine.chromiumMissing ?? 'no browser' }),
    };
    const tapFile = join(folder, 'report.tap');
    console.log(`Running ${files.length} files (${files.map((file) => relative('test', file)).join(', ')})`);
    const { code, pid } = await runNodeTests(files, { tapFile, env });
    const left = await killLeftovers({ runId, folder, session: pid });
    const counts = readCounts(tapFile);
    const everythingRequired = process.env.CI_REQUIRE_BROWSER === '1';
    const tooLittle = everythingRequired && (counts.skipped > 0 || machine.chromiumMissing !== null);
    if (tooLittle) console.error('Skipped tests and a missing browser are failures here (CI_REQUIRE_BROWSER=1).');
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const totals = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
    console.log(`${totals.join(', ')}, processes left ${left}, ${seconds} s`);
    process.exitCode = code === 0 && counts.fail === 0 && left === 0 && !tooLittle ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
