/**
 * What the daemon's store connection asks of Redis, as MONITOR shows it: commands that were sent, and those that its
 * scripts ran inside Redis. MONITOR costs Redis time: nothing else is measured meanwhile.
 */
import type { Redis } from 'ioredis';

export interface CommandCounts {
  readonly sent: number;
  readonly inScripts: number;
}

const STORE_CONNECTION = 'feishu-authd-store';

/** Counts while `work` runs. */
export async function countCommands(redis: Redis, work: () => Promise<void>): Promise<CommandCounts> {
  const clients = String(await redis.client('LIST'));
  const counter = createCommandCounter(addressesOf(clients, STORE_CONNECTION));
  // It gives up with its Redis: nobody would be there to end its attempts to come back.
  const monitor = await redis.duplicate({ lazyConnect: true, retryStrategy: () => null }).monitor();
  try {
    monitor.on('monitor', (_time: string, _args: string[], source: string) => counter.see(source));
    await work();
    // What MONITOR has shown by now came before the answer to this.
    await redis.ping();
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return counter.counts();
  } finally {
    monitor.disconnect();
  }
}

/** The two connections are read in turns of their own. */
const SETTLE_MS = 50;

/** The addresses of connections with this name, from CLIENT LIST. */
export function addressesOf(clientList: string, name: string): Set<string> {
  const lines = clientList.split('\n').filter((line) => line.includes(` name=${name} `));
  return new Set(lines.map((line) => /\baddr=(\S+)/.exec(line)?.[1] ?? ''));
}

/** MONITOR shows a script's own commands right after it, with `lua` as their source. */
export function createCommandCounter(addresses: ReadonlySet<string>) {
  let sent = 0;
  let inScripts = 0;
  let isOurs = false;
  return {
    see(source: string): void {
      if (source === 'lua') {
        if (isOurs) inScripts += 1;
        return;
      }
      isOurs = addresses.has(source);
      if (isOurs) sent += 1;
    },
    counts: (): CommandCounts => ({ sent, inScripts }),
  };
}
