/** What a process uses, read from Linux's /proc (proc(5)); other systems have no such rows. */
import { readFileSync } from 'node:fs';

/** Linux tells all programs in hundredths of a second, whatever its own clock does. */
const TICK_MS = 10;

/** Processor time used so far, user and system, milliseconds. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // `pid (comm) state ppid …`: comm may hold anything. utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Resident memory now, MB of 1024² bytes. */
export function residentMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}
