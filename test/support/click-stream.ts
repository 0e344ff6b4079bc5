/**
 * People who click at a steady pace while operators do things to the daemons. Each goes through the same steps on her
 * own card, one click after the other; told "click again in a moment", she does. Owns the pace and the record of what
 * came back, not the judgement.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ClickResult } from '../simulator/chat/clicks.js';
import type { AskingScene, Member } from './crowd.js';

export interface StreamClick {
  readonly sessionId: string;
  readonly action: string;
  readonly result: ClickResult;
  /**
   * Not answered because it met the closing of its connection on the wire: after its Close frame a WebSocket client may
   * send nothing more, so nobody can answer it.
   */
  readonly crossedClosing: boolean;
}

export interface ClickStream {
  readonly clicks: readonly StreamClick[];
  /** Stops clicking; resolves when every click has its answer or its time is over. */
  stop(): Promise<readonly StreamClick[]>;
  /** Resolves when every click so far has its answer; none is made until the promise's function is called. */
  pause(): Promise<() => void>;
}

/** A click and the end of its connection this close together have met. */
const CROSSING_MS = 1_000;

/** Authorize twice (one link), ask whether consent has come, decline, and once more what is over. */
const STEPS = ['authorize', 'authorize', 'agreed', 'decline', 'decline'] as const;

export function startClickStream(
  { sim }: Pick<AskingScene, 'sim'>,
  members: readonly Member[],
  perSecond: number,
): ClickStream {
  const clicks: StreamClick[] = [];
  const inFlight = new Set<Promise<void>>();
  const step = new Map(members.map(({ sessionId }) => [sessionId, 0]));
  const closedAt = new Map<string, number>();
  const stopWatching = sim.on('connection.closed', ({ data }) => {
    closedAt.set(String(data['connection_id']), performance.now());
  });
  let next = 0;
  let paused = false;

  const click = async ({ messageId, sessionId, user }: Member): Promise<void> => {
    const at = step.get(sessionId) ?? 0;
    const action = STEPS[Math.min(at, STEPS.length - 1)] ?? 'decline';
    const clickedAt = performance.now();
    const result = await sim.click({ messageId, user, value: { action, session_id: sessionId } });
    const closed = closedAt.get(result.connectionId ?? '') ?? Number.POSITIVE_INFINITY;
    const crossedClosing = result.ackCode === undefined && closed - clickedAt < CROSSING_MS;
    clicks.push({ sessionId, action, result, crossedClosing });
    if (!isStopping(result)) step.set(sessionId, at + 1);
  };
  const everyMs = 1000 / perSecond;
  const startedAt = performance.now();
  let due = 0;
  const clickNext = (): void => {
    const member = members[next % members.length];
    if (paused || member === undefined) return;
    next += 1;
    const one = click(member).finally(() => inFlight.delete(one));
    inFlight.add(one);
  };
  let isCatchingUp = false;
  const timer = setInterval(async () => {
    if (isCatchingUp) return;
    isCatchingUp = true;
    // By the clock, not by the timer: a busy machine must not thin the stream. One in a turn, so that this process
    // hears in between which connections are closing, as Feishu does.
    for (; due * everyMs <= performance.now() - startedAt; due += 1) {
      clickNext();
      await nextTurn();
    }
    isCatchingUp = false;
  }, everyMs / 2);

  const settled = async (): Promise<void> => {
    await Promise.all(inFlight);
  };
  return {
    clicks,
    async stop() {
      clearInterval(timer);
      await settled();
      stopWatching();
      return clicks;
    },
    async pause() {
      paused = true;
      await settled();
      return () => {
        paused = false;
      };
    },
  };
}

/** The toast of a gateway that is going down. */
export const isStopping = ({ toast }: ClickResult): boolean => /restart/i.test(JSON.stringify(toast ?? ''));
