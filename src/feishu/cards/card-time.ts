/**
 * Times as cards show them: `11月22日 14:30 (UTC+8)` and `Nov 22, 14:30 (UTC+8)`. The zone is the operator's
 * (CARD_TIMEZONE), so the offset is always said. Seconds are cut, never rounded up: a deadline must not look later
 * than it is.
 */
import type { LocalizedText } from '../../config/config.js';

export type CardTime = (timeMs: number) => LocalizedText;

/** @throws RangeError for a zone that is not known */
export function createCardTime(timezone: string): CardTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'shortOffset',
  });
  const month = new Intl.DateTimeFormat('en-US', { timeZone: timezone, month: 'numeric' });
  return (timeMs) => {
    const parts = new Map(format.formatToParts(timeMs).map(({ type, value }) => [type, value]));
    const clock = `${parts.get('hour')}:${parts.get('minute')}`;
    const offset = `(${utcOffset(parts.get('timeZoneName') ?? '')})`;
    return {
      zh_cn: `${month.format(timeMs)}月${parts.get('day')}日 ${clock} ${offset}`,
      en_us: `${parts.get('month')} ${parts.get('day')}, ${clock} ${offset}`,
    };
  };
}

/** `GMT+8` -> `UTC+8`. Whether zero is `GMT` or `GMT+0` depends on the version of Node. */
const utcOffset = (name: string): string => (name === 'GMT' ? 'UTC+0' : name.replace('GMT', 'UTC'));
