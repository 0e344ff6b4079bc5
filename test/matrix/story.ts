/** The last that a daemon has said, short enough to be read below a cell that is wrong. */
import type { Daemon, LogLine } from '../support/daemon.js';

const LINES = 25;
/** Said all the time. */
const CHATTER = new Set(['http.request', 'token.issued', 'spool.drained']);

const lineOf = ({ event, level, time, msg, err, ...more }: LogLine): string => {
  const about = err ?? more;
  return `    ${String(time).slice(11, 23)} ${String(level)} ${String(event)} ${JSON.stringify(about).slice(0, 200)}`;
};

/** Begins with a line break. */
export function storyOf(daemon: Daemon): string {
  const told = daemon.lines.filter(({ event = '' }) => !CHATTER.has(event));
  return ['', ...told.slice(-LINES).map(lineOf)].join('\n');
}
