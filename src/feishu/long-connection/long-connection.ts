/**
 * The long connection of one app: a supervisor that owns whether there is to be a link, and the only place that makes
 * one. One loop, one owner: nothing else reconnects, so start, drop, rotation and stop cannot leave two loops behind
 * (FAILURES A-parallel-reconnect-loops, A-ghost-connection-after-stop).
 *
 * States: `idle` not started; `connecting` until it is up for the first time; `connected` a frame has come in and pings
 * are answered; `reconnecting` it was up and is not; `stopped` for good. A rotation does not leave `connected`.
 *
 * Does not know what an envelope means: `receive` does. Sources: FEISHU.md §2, ARCHITECTURE.md invariant 6.
 */
import type { Logger } from 'pino';
import type { ProxyConfig } from '../../config/config.js';
import { AuthdError } from '../../errors.js';
import { type ConnectFailure, failure } from './failures.js';
import { createLink, type Link, type LinkApp, type LinkSignals, type Receive } from './link.js';
import { createPace } from './pace.js';
import { scrubValue } from './scrub.js';
import { createStatusBook, type LongConnectionStatus } from './status.js';
import type { LongConnectionTimings } from './timings.js';
import { createTroubleLog } from './trouble-log.js';
import { atMost, sleep, watchClock } from './waits.js';

export interface LongConnectionDeps {
  readonly app: LinkApp;
  readonly proxy: ProxyConfig;
  readonly timings: LongConnectionTimings;
  /** Gets the raw envelope; what it returns is the ack, a throw is acked with code 500 (Feishu sends events again). */
  readonly receive: Receive;
  readonly logger: Logger;
  /** 0 ≤ n < 1; jitter. */
  readonly random: () => number;
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
  /** Told on every change of state, error or count of connections. */
  readonly onChange?: (status: LongConnectionStatus) => void;
}

export interface LongConnection {
  /** Begins to connect, after `delayMs` (many apps need not call Feishu in the same second). Again: no effect. */
  start(delayMs?: number): void;
  /**
   * Ends it for good within about `deadlineMs`: no new attempt from now on, handlers in hand may finish and be acked,
   * then the socket is closed. Shared by all who call it. After it Feishu is never called again.
   */
  stop(deadlineMs: number): Promise<void>;
  status(): LongConnectionStatus;
}

/** Kinds of unknown frames that get a line of their own. */
const MOST_KINDS_SAID = 20;

export function createLongConnection(deps: LongConnectionDeps): LongConnection {
  const { app, timings, logger, random, now } = deps;
  const ids = { app_id: app.appId };
  const links = new Set<Link>();
  const book = createStatusBook({
    appId: app.appId,
    now,
    onChange: deps.onChange,
    logger,
    counts: () => ({
      openSockets: [...links].filter((link) => link.hasSocket()).length,
      inHand: [...links].reduce((sum, link) => sum + link.inHand(), 0),
    }),
  });
  const trouble = createTroubleLog(logger, app.appId, now);
  const pace = createPace(timings, random);
  const stopping = new AbortController();
  const stopped = (): boolean => stopping.signal.aborted;
  const saidKinds = new Set<string>();
  /** The replaced link that still finishes its work; there is never more than one. */
  let retiring: Promise<unknown> = Promise.resolve();
  let running: Promise<void> | null = null;
  let stopResult: Promise<void> | null = null;

  const signals: LinkSignals = {
    frame: () => book.note({ lastFrameAt: now() }),
    pong: () => book.note({ lastPongAt: now() }),
    event: () => book.note({ lastEventAt: now() }),
    dropped(kind) {
      book.note({ droppedFrames: book.read().droppedFrames + 1 });
      const name = kind.replace(/[^\w :.-]/g, '').slice(0, 40);
      if (saidKinds.has(name) || saidKinds.size >= MOST_KINDS_SAID) return;
      saidKinds.add(name);
      logger.warn({ event: 'ws.frame_dropped', ...ids, frame: name }, 'A frame of a kind nobody handles was dropped');
    },
    settingsIgnored() {
      if (saidKinds.has('settings')) return;
      saidKinds.add('settings');
      logger.warn({ event: 'ws.settings_ignored', ...ids }, 'Feishu sent an unusable ping interval; it is ignored');
    },
  };

  function newLink(): Link {
    const link = createLink({ ...deps, signals });
    links.add(link);
    void link.gone.then(() => links.delete(link));
    return link;
  }

  /** One attempt from the endpoint call to the first frame. */
  async function attempt(): Promise<Link | ConnectFailure> {
    const link = newLink();
    logger.debug({ event: 'ws.connecting', ...ids, connection_id: link.connectionId }, 'Connecting to Feishu');
    return (await link.opened) ?? link;
  }

  /** The link is up and from now on the one that counts. */
  function adopt(link: Link, how: 'connect' | 'rotation'): void {
    const { state, connects, reconnects, rotations } = book.read();
    const again = state === 'reconnecting' ? 1 : 0;
    const rotated = how === 'rotation' ? 1 : 0;
    trouble.recovered();
    const line = { ...ids, connection_id: link.connectionId, host: link.host(), failures: pace.failures };
    if (rotated) logger.info({ event: 'ws.rotated', ...line }, 'A fresh connection to Feishu replaces the old one');
    else logger.info({ event: 'ws.connected', ...line }, 'Connected to Feishu');
    book.change({
      state: 'connected',
      lastError: null,
      connects: connects + 1,
      reconnects: reconnects + again,
      rotations: rotations + rotated,
    });
  }

  async function connect(): Promise<Link | null> {
    const result = await attempt();
    if (stopped()) return null;
    if (isLink(result)) {
      adopt(result, 'connect');
      return result;
    }
    await pauseAfterFailedAttempt(result);
    return null;
  }

  async function pauseAfterFailedAttempt(why: ConnectFailure): Promise<void> {
    const retryInMs = Math.round(pace.next(why));
    trouble.say('ws.connect_failed', why, { failures: pace.failures, retry_in_ms: retryInMs });
    book.change({ lastError: why, state: book.read().connects > 0 ? 'reconnecting' : 'connecting' });
    await sleep(retryInMs, stopping.signal);
  }

  /** Stays with a link until it is over or replaced. Returns its successor if that is up already. */
  async function hold(link: Link): Promise<Link | null> {
    const upSince = now();
    let replaced = false;
    void link.ended.then((why) => {
      if (why === null || replaced || stopped()) return;
      const livedMs = now() - upSince;
      if (livedMs >= timings.stableAfterMs) pace.reset();
      trouble.say('ws.disconnected', why, { connection_id: link.connectionId, lived_ms: livedMs });
      book.change({ state: 'reconnecting', lastError: why });
    });
    const stopWatching = watchClock(now, () => link.probe());
    const next = await successorOf(link).finally(stopWatching);
    if (stopped()) return null;

    if (next !== null && isLink(next)) {
      replaced = true;
      const inTime = link.isOpen();
      if (inTime && now() - upSince >= timings.stableAfterMs) pace.reset();
      if (inTime) retiring = link.close(timings.retireMs);
      adopt(next, inTime ? 'rotation' : 'connect');
      return next;
    }
    const dropped = await link.ended;
    if (next !== null) await pauseAfterFailedAttempt(next);
    else if (dropped !== null) await sleep(pace.next(dropped), stopping.signal);
    return null;
  }

  /**
   * Settles with a fresh link that came up while this one lives; with null when this one is over; and when this one
   * goes while another is coming up, with what becomes of that attempt: it is then the only one.
   */
  async function successorOf(link: Link): Promise<Link | ConnectFailure | null> {
    const over = new AbortController();
    void link.ended.then(() => over.abort());
    const rotationPace = createPace(timings, random);
    const dueMs = timings.rotateAfterMs * (0.9 + 0.2 * random());
    let waitMs = timings.rotateAfterMs > 0 ? dueMs : Number.POSITIVE_INFINITY;
    for (;;) {
      await sleep(waitMs, over.signal);
      await Promise.race([retiring, link.ended]);
      if (stopped()) await link.ended;
      if (over.signal.aborted || !link.isOpen()) return null;
      const candidate = attempt();
      const result = await candidate;
      if (isLink(result) || over.signal.aborted) return result;
      waitMs = rotationPace.next(result);
      trouble.say('ws.rotation_failed', result, { retry_in_ms: Math.round(waitMs) });
    }
  }

  async function supervise(delayMs: number): Promise<void> {
    await sleep(delayMs, stopping.signal);
    let link: Link | null = null;
    while (!stopped()) {
      try {
        link = link === null ? await connect() : await hold(link);
      } catch (error) {
        // A bug of ours must not end the loop: an app nobody connects any more is deaf for good and says nothing.
        logger.error(
          { event: 'ws.fault', ...ids, error: scrubValue(error) },
          'The supervisor of the connection failed',
        );
        for (const each of links) each.abort();
        link = null;
        await pauseAfterFailedAttempt(failure('fault'));
      }
    }
  }

  async function endForGood(deadlineMs: number): Promise<void> {
    stopping.abort();
    const drainMs = Math.max(0, deadlineMs - timings.closeMs);
    let cutShort = 0;
    const closeAll = [...links].map(async (link) => {
      const unfinished = await link.close(drainMs);
      cutShort += unfinished;
    });
    await atMost(deadlineMs, Promise.all(closeAll));
    for (const link of links) link.abort();
    if (running !== null) await atMost(timings.closeMs, running);
    book.change({ state: 'stopped' });
    logger.info({ event: 'ws.stopped', ...ids, handlers_cut_short: cutShort }, 'The connection to Feishu is closed');
  }

  return {
    start(delayMs = 0) {
      if (stopped()) throw new AuthdError('internal_error', 'A stopped long connection cannot be started again');
      if (running !== null) return;
      book.change({ state: 'connecting' });
      running = supervise(delayMs);
    },
    stop(deadlineMs) {
      stopResult ??= endForGood(deadlineMs);
      return stopResult;
    },
    status: book.read,
  };
}

function isLink(result: Link | ConnectFailure): result is Link {
  return 'connectionId' in result;
}
