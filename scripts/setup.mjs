/**
 * Makes a clone usable on a machine that has only Node and npm: packages from the lock file, a `redis-server`, and
 * for the browser tests Debian's `chromium`. Imports nothing but Node itself, because it runs before anything is
 * installed. Touches nothing when all is there (no network, a few milliseconds).
 *
 * Chatter goes to standard error, so that callers keep standard output for their results.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A sentence for the person at the keyboard; no stack needed. */
export class SetupError extends Error {}

const say = (text) => process.stderr.write(`${text}\n`);

/**
 * @param {{redis?: boolean, chromium?: boolean}} wanted `redis`: fail without a redis-server (pass false where a
 *   running one is used, as DEMO_REDIS_URL does). `chromium`: look for a browser; its absence is not an error.
 * @returns {Promise<{redisServer: string | null, chromium: string | null, chromiumMissing: string | null}>} paths;
 *   `chromiumMissing` says in one sentence why there is no browser.
 * @throws {SetupError} when packages or redis-server cannot be had.
 */
export async function setup({ redis = false, chromium = false } = {}) {
  await installPackages();
  const redisServer = redis ? await needRedis() : null;
  const browser = chromium ? await wantChromium() : { path: null, missing: null };
  return { redisServer, chromium: browser.path, chromiumMissing: browser.missing };
}

/** `npm ci`, unless node_modules was made from this very lock file. */
async function installPackages() {
  const lockFile = join(ROOT, 'package-lock.json');
  const stampFile = join(ROOT, 'node_modules', '.feishu-authd-lock-sha256');
  const lockHash = createHash('sha256').update(readFileSync(lockFile)).digest('hex');
  if (readIfThere(stampFile) === lockHash) return;
  // npm's own record: somebody has run `npm ci` by hand since the lock file last changed.
  const installedAt = modifiedAt(join(ROOT, 'node_modules', '.package-lock.json'));
  if (installedAt < modifiedAt(lockFile)) {
    say('Installing packages from package-lock.json (npm ci) ...');
    const npm = process.env.npm_execpath;
    const args = ['ci', '--include=dev', '--no-audit', '--no-fund'];
    const code = npm ? await run(process.execPath, [npm, ...args]) : await run('npm', args);
    if (code !== 0) throw new SetupError('npm ci failed, see above: the package registry must be reachable once.');
  }
  writeFileSync(stampFile, lockHash);
}

async function needRedis() {
  const name = 'redis-server';
  const found = onPath([name]);
  if (found) return found;
  const failure = await installBySystem(name, { 'apt-get': name, apk: 'redis', dnf: 'redis' });
  const installed = onPath([name]);
  if (installed) return installed;
  throw new SetupError(
    `redis-server is needed and is not on PATH; ${failure} Install it (Debian: apt-get install redis-server; ` +
      'macOS: brew install redis), or set DEMO_REDIS_URL for the demo to use one that is running.',
  );
}

async function wantChromium() {
  const names = ['chromium', 'chromium-browser'];
  const found = onPath(names);
  if (found) return { path: found, missing: null };
  const failure = await installBySystem('chromium', { 'apt-get': 'chromium' });
  const installed = onPath(names);
  return installed
    ? { path: installed, missing: null }
    : { path: null, missing: `chromium is not on PATH; ${failure} Install it (Debian: apt-get install chromium).` };
}

/** Installs by the package manager there is. Answers with the sentence that says why not, or with ''. */
async function installBySystem(what, packageNames) {
  const manager = Object.keys(packageNames).find((name) => onPath([name]));
  if (!manager) return 'this system has no package manager that feishu-authd knows how to ask for it.';
  if (process.getuid?.() !== 0) return 'it is installed for you only when run as root.';
  say(`${what} is not installed: installing it with ${manager} ...`);
  const name = packageNames[manager];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const failed = `${manager} could not install it.`;
  if (manager === 'apk') return (await run('apk', ['add', '--no-cache', name], env)) === 0 ? '' : failed;
  if (manager === 'dnf') return (await run('dnf', ['install', '-y', name], env)) === 0 ? '' : failed;
  if ((await run('apt-get', ['update'], env)) !== 0) say('apt-get update failed; trying with the lists there are.');
  const code = await withoutServiceStart(() => run('apt-get', ['install', '-y', '--no-install-recommends', name], env));
  return code === 0 ? '' : failed;
}

/**
 * Debian starts a service as soon as its package is installed; we want the program, not a Redis on port 6379.
 * A policy-rc.d that answers 101 is Debian's own way to forbid that (invoke-rc.d(8)). One that exists is respected.
 */
async function withoutServiceStart(install) {
  const policy = '/usr/sbin/policy-rc.d';
  let ours = false;
  try {
    writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' });
    ours = true;
  } catch {
    // Exists already, or this system has no such place: RUNLEVEL=1 in the environment is the second guard.
  }
  try {
    return await install();
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

/** Runs with its output shown as it comes (on standard error), because installing takes minutes. */
function run(command, args, env = process.env) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 2, 2] });
    child.once('error', (error) => {
      say(`${command}: ${error.message}`);
      resolve(1);
    });
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function onPath(names) {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const file = join(folder, name);
      if (folder !== '' && isExecutable(file)) return file;
    }
  }
  return null;
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function modifiedAt(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { redisServer, chromium, chromiumMissing } = await setup({
      redis: !process.env.DEMO_REDIS_URL,
      chromium: process.argv.includes('--chromium'),
    });
    say(['Ready.', redisServer, chromium ?? chromiumMissing].filter(Boolean).join(' '));
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}
