/**
 * `npm run reload`: restarts the processes of ecosystem.config.cjs under pm2, with what is in dist/ and the settings as
 * they are now, one after the other, so that one gateway is connected at any time. (pm2's own `reload` of fork-mode
 * processes is stop, then start, and takes two at once.) Imports nothing but Node. Clicks on the way are answered by
 * the other gateway; the API, which has one process, is away for a second or two.
 *
 * Looks at the configuration before it touches anything, and ends with 1 as soon as a process does not get ready: what
 * has not been restarted goes on.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ECOSYSTEM = join(ROOT, 'ecosystem.config.cjs');
const MAIN = join(ROOT, 'dist', 'main.js');
const GATEWAYS = ['feishu-authd-gateway-a', 'feishu-authd-gateway-b'];
const WORKER = 'feishu-authd';
const LOCK = join(process.env.PM2_HOME || join(homedir(), '.pm2'), 'feishu-authd-reload.lock');
/** Redis, credentials and the long connection, on a slow day. */
const READY_SECONDS = 60;
/** Exit code of `feishu-authd health` for a configuration that must be corrected. */
const INVALID = 2;
/** One question about the present. */
const NOW_SECONDS = 0;
const AGAIN_MS = 500;
/** Stop (kill_timeout) and start (listen_timeout) of one process, and pm2 itself. */
const RESTART_MS = 90_000;
const LIST_MS = 20_000;

/** A sentence for the person at the keyboard; no stack needed. */
class ReloadError extends Error {}

const say = (text) => process.stdout.write(`${text}\n`);

async function main() {
  const unlock = lock();
  try {
    await checkConfiguration();
    for (const name of await inOrder()) {
      await needTheOther(name);
      await restart(name);
    }
    await restart(WORKER);
    say('Reloaded.');
  } finally {
    unlock();
  }
}

/** With the settings the processes are going to get. */
async function checkConfiguration() {
  const { apps } = createRequire(import.meta.url)(ECOSYSTEM);
  for (const { env, name } of apps) {
    const { code, output } = await health(env, NOW_SECONDS);
    if (code === INVALID) throw new ReloadError(`Nothing was restarted. ${name} would not start:\n${tail(output)}`);
  }
}

/** Gateways that serve fewer apps go first: their restart takes the least away. */
async function inOrder() {
  const processes = await list();
  const counted = await Promise.all(
    GATEWAYS.map(async (name) => ({ name, apps: (await connectedApps(processes, name)).length })),
  );
  return counted.sort((one, other) => one.apps - other.apps).map(({ name }) => name);
}

/** Never takes a connection away while the other gateway has none for that app. */
async function needTheOther(name) {
  const other = GATEWAYS.find((gateway) => gateway !== name);
  const deadline = Date.now() + READY_SECONDS * 1000;
  for (;;) {
    const processes = await list();
    const theirs = await connectedApps(processes, other);
    const missing = (await connectedApps(processes, name)).filter((app) => !theirs.includes(app));
    if (missing.length === 0) return;
    if (Date.now() > deadline) {
      throw new ReloadError(`${name} was left alone: ${other} has no long connection for ${missing.join(', ')}.`);
    }
    await sleep(AGAIN_MS);
  }
}

/** The apps whose long connection a gateway has up, as its `/readyz` lists them; none when it does not answer. */
async function connectedApps(processes, name) {
  const { stdout } = await askReady(processes, name, NOW_SECONDS);
  try {
    const { parts } = JSON.parse(stdout);
    return parts.filter(({ ok, part }) => part === 'long_connection' && ok).map(({ app_id: appId }) => appId);
  } catch {
    return [];
  }
}

async function restart(name) {
  const startedAt = performance.now();
  say(`${name}: restarting ...`);
  // With the file, so that a changed setting has an effect; starts what is not running.
  const { code, output } = await pm2(['restart', ECOSYSTEM, '--only', name], RESTART_MS);
  if (code !== 0) throw new ReloadError(`pm2 could not restart ${name}:\n${tail(output)}`);
  const processes = await list();
  const answer = await askReady(processes, name, READY_SECONDS);
  if (answer.code !== 0) {
    throw new ReloadError(
      `${name} did not get ready: ${tail(answer.output)}\n${lastWords(processes, name)}` +
        `Nothing further was restarted. See: pm2 logs ${name}`,
    );
  }
  say(`${name}: ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

/** The shipped binary asks `/readyz` with the settings that pm2 has given the process. */
function askReady(processes, name, waitSeconds) {
  const found = processes.find((one) => one.name === name);
  if (found === undefined) return { code: 1, output: 'pm2 does not know it', stdout: '' };
  const { exit_code: exitCode, status } = found.pm2_env;
  if (status !== 'online') {
    return { code: 1, output: `it has ended with code ${exitCode} (pm2 calls it ${status})`, stdout: '' };
  }
  return health(found.pm2_env.env, waitSeconds);
}

function health(settings, waitSeconds) {
  const env = Object.fromEntries(Object.entries(settings).filter(([, value]) => typeof value === 'string'));
  const args = [MAIN, 'health', '--ready', '--wait', String(waitSeconds)];
  return run(process.execPath, args, env, (waitSeconds + 10) * 1000);
}

/** Why a start was refused is on standard error, in words. */
function lastWords(processes, name) {
  const file = processes.find((one) => one.name === name)?.pm2_env.pm_err_log_path;
  const words = file === undefined ? '' : tail(readIfThere(file));
  return words === '' ? '' : `${words}\n`;
}

/** @returns {Promise<{name: string, pm2_env: object}[]>} */
async function list() {
  const { code, output, stdout } = await pm2(['jlist'], LIST_MS);
  if (code !== 0) throw new ReloadError(`pm2 does not tell what runs:\n${tail(output)}`);
  try {
    // pm2 greets before the list when it has to start its own daemon.
    return JSON.parse(stdout.slice(stdout.lastIndexOf('\n[') + 1));
  } catch {
    throw new ReloadError(`pm2 does not tell what runs:\n${tail(output)}`);
  }
}

function pm2(args, timeoutMs) {
  return run('pm2', args, process.env, timeoutMs);
}

/** @returns {Promise<{code: number, output: string, stdout: string}>} never rejects but for a pm2 that is not there */
function run(command, args, env, timeoutMs) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    const text = { all: '', out: '' };
    child.stdout.on('data', (chunk) => {
      text.all += chunk;
      text.out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      text.all += chunk;
    });
    child.once('error', (error) => {
      const missing = error.code === 'ENOENT' && command === 'pm2';
      reject(new ReloadError(missing ? 'pm2 is not on PATH: npm install --global pm2' : error.message));
    });
    child.once('close', (code, signal) => {
      const cut = signal === null ? '' : `\n${command} ${args[0]} took longer than ${timeoutMs / 1000} s`;
      resolve({ code: code ?? 1, output: text.all + cut, stdout: text.out });
    });
  });
}

const tail = (text) => text.trim().split('\n').slice(-12).join('\n');

/** Two reloads at a time could each take one gateway away. */
function lock() {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      const file = openSync(LOCK, 'wx', 0o600);
      writeSync(file, String(process.pid));
      closeSync(file);
      return () => rmSync(LOCK, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST')
        throw new ReloadError(`${LOCK} cannot be written (${error.code}): does pm2 run here?`);
      if (isAlive(Number(readIfThere(LOCK)))) break;
      rmSync(LOCK, { force: true });
    }
  }
  throw new ReloadError(`Another reload is under way (${LOCK}).`);
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid) {
  if (!Number.isInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof ReloadError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
