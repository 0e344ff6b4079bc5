/**
 * How long a waiting session leaves the token endpoint alone (ARCHITECTURE invariant 4). Pure. Milliseconds unless the
 * name says otherwise.
 *
 * Most people consent within a minute of opening the link, so polls are eager then and calmer later. All waiting
 * sessions share one budget: when they are many, everybody waits in the same proportion instead of some going under.
 * The interval the server set (RFC 8628 §3.5) is never undercut.
 */
export interface PollPace {
  /** Since the link was made. */
  readonly linkAgeMs: number;
  /** The server's interval, grown by slow_down. */
  readonly intervalSeconds: number;
  /** Sessions of the app that are polling now, this one included. */
  readonly waitingSessions: number;
  /** Polls a second that all of them together may use. */
  readonly ratePerSecond: number;
  /** Until the link ends. */
  readonly remainingMs: number;
  /** 0 ≤ x < 1, as Math.random gives it. */
  readonly random: () => number;
}

const EAGER_MS = 60_000;
const CALM_MS = 120_000;
/** What the slowing down alone may lead to; a longer interval or pressure goes beyond it. */
const SLOWEST_MS = 15_000;
const DEFAULT_INTERVAL_SECONDS = 5;
const JITTER = 0.1;
/** The last poll goes out so long before the end that its answer is there in time. */
const LAST_POLL_LEAD_MS = 2_000;
/** Nothing sensible is longer than the longest link. */
const LONGEST_MS = 3_600_000;

/**
 * Always finite and at least the interval. A result longer than `remainingMs` means that no further poll fits before
 * the end: let the link end.
 */
export function nextPollDelayMs(pace: PollPace): number {
  const interval = intervalMs(pace.intervalSeconds);
  const patient = patience(interval, pace.linkAgeMs);
  const fair = fairMs(pace.waitingSessions, pace.ratePerSecond);
  const wanted = Math.round(Math.max(patient, fair) * jitter(pace.random()));
  const remaining = pace.remainingMs;
  if (!Number.isFinite(remaining)) return within(interval, wanted, LONGEST_MS);
  // Nobody waits longer than half the life of the link, however many they are; then the budget has the last word.
  const life = Math.max(0, remaining) + Math.max(0, pace.linkAgeMs || 0);
  const regular = within(interval, wanted, Math.min(LONGEST_MS, life / 2));
  const end = Math.round(remaining) - LAST_POLL_LEAD_MS;
  return fair > patient ? lastOfMany(regular, end, pace.random()) : lastOfFew(regular, end, interval);
}

/** When the poll after this one would not fit any more, this is the last: it sees as much of the link as it can. */
function lastOfFew(regular: number, end: number, interval: number): number {
  return regular + interval > end ? Math.max(interval, end) : regular;
}

/**
 * As before, but links made together end together, and all their last polls at that moment would go under. So they
 * spread over a round, and nobody gets more than the regular ones.
 */
function lastOfMany(regular: number, end: number, random: number): number {
  if (2 * regular <= end) return regular;
  return Math.max(regular, Math.round(end - part(random) * regular));
}

function patience(interval: number, ageMs: number): number {
  if (!(ageMs >= EAGER_MS)) return interval;
  return Math.max(interval, Math.min(SLOWEST_MS, interval * (ageMs < CALM_MS ? 2 : 3)));
}

/** With so many waiting, one poll each in this time keeps within the rate. */
function fairMs(waiting: number, ratePerSecond: number): number {
  if (!(waiting > 0)) return 0;
  if (!(ratePerSecond > 0)) return LONGEST_MS;
  return Math.min(LONGEST_MS, (waiting / ratePerSecond) * 1000);
}

function intervalMs(seconds: number): number {
  const sane = Number.isFinite(seconds) && seconds > 0 ? seconds : DEFAULT_INTERVAL_SECONDS;
  return Math.min(LONGEST_MS, Math.ceil(sane * 1000));
}

/** Whole; the least wins over the most. */
const within = (least: number, value: number, most: number): number =>
  Math.max(least, Math.floor(Math.min(value, most)));
const jitter = (random: number): number => 1 + JITTER * (2 * part(random) - 1);
const part = (value: number): number => (value >= 0 && value <= 1 ? value : 0.5);
