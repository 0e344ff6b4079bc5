/** What the numbers were measured on, in one line. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';

export function machineFacts(): string {
  const redis = /v=(\S+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8', timeout: 5_000 }))?.[1];
  const facts = [
    `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'})`,
    `${Math.round(totalmem() / 1024 ** 3)} GB`,
    `${process.platform} ${release()}`,
    `Node ${process.version}`,
    `Redis ${redis ?? 'unknown'}`,
    `load ${loadavg()[0]?.toFixed(1)} at the start`,
  ];
  return facts.join(', ');
}
