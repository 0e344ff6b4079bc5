/** When people may be disturbed: from nine to six by the wall clock of a time zone, daylight saving included. Pure. */

const FIRST_HOUR = 9;
const LAST_HOUR = 18;
const HOUR_MS = 3_600_000;
const STEP_MS = 15 * 60_000;
const DAY_MS = 24 * HOUR_MS;

/** @param timezone IANA name, checked by the configuration */
export function isDaytime(at: number, timezone: string): boolean {
  const hour = hourOf(at, timezone);
  return hour >= FIRST_HOUR && hour < LAST_HOUR;
}

/** The first quarter of an hour of the next daytime, or the present moment when it is day. */
export function nextDaytime(at: number, timezone: string): number {
  if (isDaytime(at, timezone)) return at;
  // Zones differ from UTC by quarters of hours.
  const first = Math.ceil(at / STEP_MS) * STEP_MS;
  for (let next = first; next < first + 2 * DAY_MS; next += STEP_MS) if (isDaytime(next, timezone)) return next;
  return at + DAY_MS;
}

function hourOf(at: number, timezone: string): number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, hour: '2-digit', hourCycle: 'h23' });
  return Number(format.format(new Date(at)));
}
