/** The last errors of all processes, each with what to do. */
import { el, marked } from './dom.js';
import { section } from './fleet.js';

export function drawErrors({ errors }, { formats, language, texts }) {
  if (errors.length === 0) return section('errors', texts.errors, el('p.quiet', {}, texts.noErrors));
  const items = errors.map((error) => {
    const facts = [
      error.count > 1 ? texts.times(formats.whole(error.count)) : null,
      error.app_id,
      error.feishu_code === null ? null : `${texts.code} ${error.feishu_code}`,
      error.feishu_code === null ? error.code : null,
      error.log_id === null ? null : `${texts.copy} ${error.log_id}`,
      error.processes.join(', '),
    ];
    return el(
      'li',
      { 'data-event': error.event, 'data-level': error.level },
      el(
        'header',
        {},
        el('span.dot', { 'data-tone': error.level === 'warn' ? 'fair' : 'bad', 'aria-hidden': 'true' }),
        el('strong', {}, error.cause?.[language] ?? error.message),
        el('time.quiet', { datetime: error.last_at, title: formats.moment(error.last_at) }, formats.ago(error.last_at)),
      ),
      el('p.remedy', {}, ...marked(error.remedy?.[language] ?? texts.seeLog)),
      el('p.line', { lang: 'en' }, el('code', {}, error.event), ` ${lineOf(error)}`),
      el('p.quiet.facts-line', {}, facts.filter((fact) => fact !== null).join(' · ')),
    );
  });
  return section('errors', texts.errors, el('ol.errors', {}, ...items));
}

/** The line without the remedy, where it ends with it: that stands above already. */
function lineOf({ message, remedy }) {
  const end = remedy === null ? -1 : message.lastIndexOf(remedy.en_us);
  return end <= 0 ? message : message.slice(0, end).replace(/[:.]?\s*$/, '');
}
