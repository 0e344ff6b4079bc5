/** Numbers and times as people read them. Times of the API are by the clock of the daemon: so is `now`. */

const LOCALES = { zh_cn: 'zh-CN', en_us: 'en-US' };
const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

export function formatsOf(language, now) {
  const locale = LOCALES[language];
  const whole = new Intl.NumberFormat(locale);
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'always', style: 'short' });
  const moment = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' });
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });

  const span = (seconds) => {
    const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ['second', 1];
    const value = Math.floor(seconds / size);
    return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' }).format(value);
  };
  return {
    whole: (value) => whole.format(value),
    percent: (ratio) => percent.format(ratio),
    /** "3 min", from seconds. */
    span,
    /** How long it has been so: "3 min". */
    since: (time) => span(Math.max(0, (now - Date.parse(time)) / 1000)),
    /** "3 min ago" */
    ago(time) {
      const seconds = Math.max(0, (now - Date.parse(time)) / 1000);
      const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ['second', 1];
      return relative.format(-Math.floor(seconds / size), unit);
    },
    moment: (time) => moment.format(new Date(time)),
    clock: (time) => clock.format(new Date(time)),
  };
}
