/**
 * Node's own test runner over an explicit list of files, for `npm test` and `npm run ways`: its own temporary folder,
 * the report to the terminal, the counts, and whether a test left a process running (which is then killed).
 *
 * Tests see: TEST_CHROMIUM, the browser's path, or TEST_CHROMIUM_MISSING, the reason why there is none (browser tests
 * skip with it).
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findLeftovers } from './leftovers.mjs';
import { ROOT } from './setup.mjs';

const CONCURRENCY = 3;
/** For one test, and (Node's runner counts that way) for one file as well. */
const TIMEOUT_MS = 240_000;
/** A process that was told to stop may need a moment to be gone. */
const LEFTOVER_GRACE_MS = 3000;
const COUNTS = { tests: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };

/** Paths of all test files below a folder of the repository, sorted. */
export function testFilesIn(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(folder, name))
    .sort();
}

/**
 * @param {readonly string[]} files
 * @param {{ machine: { chromium?: string | null, chromiumMissing?: string | null }, env?: Record<string, string> }} options
 * @returns {Promise<{ ok: boolean, counts: typeof COUNTS, left: number, seconds: string, signal: string | null }>}
 *   `left`: processes that tests left running; `signal`: by which the run was cut short.
 */
export async function runTests(files, { machine, env = {} }) {
  const runId = randomBytes(8).toString('hex');
  const folder = mkdtempSync(join(tmpdir(), 'authd-test-'));
  const startedAt = performance.now();
  try {
    const tapFile = join(folder, 'report.tap');
    const { code, pid, signal } = await runNode(files, {
      tapFile,
      env: {
        ...process.env,
        ...env,
        TEST_RUN_ID: runId,
        TMPDIR: folder,
        ...(machine.chromium
          ? { TEST_CHROMIUM: machine.chromium }
          : { TEST_CHROMIUM_MISSING: machine.chromiumMissing ?? 'no browser' }),
      },
    });
    const left = await killLeftovers({ runId, folder, session: pid });
    const counts = readCounts(tapFile);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    return { ok: code === 0 && counts.fail === 0 && left === 0, counts, left, seconds, signal };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the files; the spec report goes to the terminal, TAP to `tapFile` for the counts. */
function runNode(files, { tapFile, env }) {
  const args = [
    ...['--import', 'tsx', '--test', `--test-concurrency=${CONCURRENCY}`, `--test-timeout=${TIMEOUT_MS}`],
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...['--test-reporter=tap', `--test-reporter-destination=${tapFile}`],
    ...files,
  ];
  return new Promise((resolve, reject) => {
    // Its own process group and session: whatever is started below can be recognised, and Ctrl-C reaches all of it.
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 1, 2], detached: true });
    let received = null;
    const pass = (signal) => {
      received = signal;
      process.kill(-child.pid, signal);
    };
    process.once('SIGINT', pass);
    process.once('SIGTERM', pass);
    child.once('error', reject);
    child.once('exit', (code) => {
      process.off('SIGINT', pass);
      process.off('SIGTERM', pass);
      resolve({ code: code ?? 1, pid: child.pid, signal: received });
    });
  });
}

/** The runner's totals, from the last lines of its TAP output: `# tests 12`. */
function readCounts(tapFile) {
  const counts = { ...COUNTS };
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
