/** The troubles of all processes as one list: the same fault is one entry, the newest first. Pure. */
import type { FleetTrouble, SeenProcess, Trouble } from './fleet.js';
import { nameOf } from './verdict.js';

const MOST = 20;

export function mergeTroubles(processes: readonly SeenProcess[]): Omit<FleetTrouble, 'meaning'>[] {
  const merged = new Map<string, Omit<FleetTrouble, 'meaning'>>();
  for (const process of processes) {
    for (const trouble of process.troubles) {
      const key = [trouble.event, trouble.appId, trouble.feishuCode, trouble.cause].join(' ');
      const known = merged.get(key);
      merged.set(
        key,
        known === undefined ? { ...trouble, processes: [nameOf(process)] } : both(known, trouble, process),
      );
    }
  }
  return [...merged.values()].sort((a, b) => b.lastAt - a.lastAt).slice(0, MOST);
}

function both(
  known: Omit<FleetTrouble, 'meaning'>,
  trouble: Trouble,
  process: SeenProcess,
): Omit<FleetTrouble, 'meaning'> {
  const newest = trouble.lastAt > known.lastAt ? trouble : known;
  return {
    ...newest,
    count: known.count + trouble.count,
    firstAt: Math.min(known.firstAt, trouble.firstAt),
    processes: [...known.processes, nameOf(process)],
  };
}
