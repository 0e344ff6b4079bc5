/**
 * Keeps what one process sends from arriving closer together than Feishu allows. The shared budget counts when calls
 * were granted; a machine that stalls sends late what was granted long apart. When a call arrives is not known here, but
 * it is between sending and answer: so a call counts from being let through until a second after its answer, and no
 * second at Feishu's end holds more than the bound. Owns no limits; first come, first served.
 */
export interface Arrivals {
  /**
   * Resolves when the call may be sent, with what must be called when it was answered or given up. Resolves to null when
   * there is no room within `maxWaitMs`.
   */
  enter(lane: string, perSecond: number, maxWaitMs: number): Promise<(() => void) | null>;
}

/** Feishu's second, and what its clock and ours may differ in it. */
const WINDOW_MS = 1_050;
/** What was sent so long ago has arrived, answered or not: a Feishu that hangs must not bar the way to itself. */
const LONGEST_FLIGHT_MS = 3_000;

interface Call {
  countsUntil: number;
}

interface Waiter {
  readonly perSecond: number;
  readonly admit: (answered: (() => void) | null) => void;
  readonly giveUp: NodeJS.Timeout;
}

interface Lane {
  calls: Call[];
  readonly waiting: Waiter[];
  wake: NodeJS.Timeout | undefined;
}

/** @param now milliseconds of a clock that never goes back */
export function createArrivals(now: () => number): Arrivals {
  const lanes = new Map<string, Lane>();

  const laneOf = (name: string): Lane => {
    const lane = lanes.get(name) ?? { calls: [], waiting: [], wake: undefined };
    lanes.set(name, lane);
    return lane;
  };

  const letThrough = (lane: Lane): (() => void) => {
    const call = { countsUntil: now() + LONGEST_FLIGHT_MS + WINDOW_MS };
    lane.calls.push(call);
    return () => {
      call.countsUntil = Math.min(call.countsUntil, now() + WINDOW_MS);
      admitNext(lane);
    };
  };

  const admitNext = (lane: Lane): void => {
    clearTimeout(lane.wake);
    const at = now();
    lane.calls = lane.calls.filter((call) => call.countsUntil > at);
    for (let next = lane.waiting[0]; next !== undefined; next = lane.waiting[0]) {
      if (lane.calls.length >= next.perSecond) break;
      lane.waiting.shift();
      clearTimeout(next.giveUp);
      next.admit(letThrough(lane));
    }
    if (lane.waiting.length === 0) return;
    const first = Math.min(...lane.calls.map((call) => call.countsUntil));
    lane.wake = setTimeout(() => admitNext(lane), Math.max(1, Math.ceil(first - at)));
  };

  return {
    enter(name, perSecond, maxWaitMs) {
      const lane = laneOf(name);
      return new Promise((admit) => {
        const giveUp = setTimeout(() => {
          lane.waiting.splice(lane.waiting.indexOf(waiter), 1);
          admit(null);
        }, maxWaitMs);
        const waiter: Waiter = { perSecond: Math.max(1, perSecond), admit, giveUp };
        lane.waiting.push(waiter);
        admitNext(lane);
      });
    },
  };
}
