/**
 * Finds processes that a test run started and did not stop. A process belongs to the run when one of these says so,
 * because a test may replace the environment, start a new session, or both:
 * its environment (TEST_RUN_ID), its session id, or the run's temporary folder on its command line or in its
 * environment.
 * Reads /proc, so it finds nothing on systems without it.
 */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * @param {{runId: string, folder: string, session: number}} marks
 * @returns {{pid: number, command: string}[]}
 */
export function findLeftovers({ runId, folder, session }) {
  const found = [];
  for (const name of listProc()) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const command = readProc(pid, 'cmdline').replaceAll('\0', ' ').trim();
    // A zombie has no command line: it is dead, only not yet collected.
    if (command === '') continue;
    const environment = readProc(pid, 'environ');
    const marked = environment.split('\0').includes(`TEST_RUN_ID=${runId}`) || environment.includes(folder);
    if (marked || command.includes(folder) || sessionOf(pid) === session) found.push({ pid, command });
  }
  return found;
}

/** proc(5): `pid (comm) state ppid pgrp session …`; comm may hold spaces and brackets. */
function sessionOf(pid) {
  const stat = readProc(pid, 'stat');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]);
}

function listProc() {
  try {
    return readdirSync('/proc');
  } catch {
    return [];
  }
}

function readProc(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
