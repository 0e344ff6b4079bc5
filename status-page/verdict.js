/** The top of the page: does it work, what is wrong, what to do. */
import { el, ICONS, icon, marked } from './dom.js';

const LOOKS = { works: 'check', degraded: 'warning', does_not_work: 'cross' };

export function drawVerdict(status, { formats, language, texts }) {
  const { findings, verdict } = status;
  const [first] = findings;
  const severalApps = status.apps.length > 1;
  const headline =
    first === undefined ? texts.verdicts.works : `${texts.verdicts[verdict]}${colon(language)}${sentence(first)}`;

  function wordsOf({ name, subject, value }) {
    const words = { subject, value, span: formats.span(value ?? 0), percent: formats.percent(value ?? 0) };
    return texts.findings[name](words);
  }
  function sentence(finding) {
    const [text] = wordsOf(finding);
    return finding.app_id !== null && severalApps ? `${finding.app_id}${colon(language)}${text}` : text;
  }
  const detail = (finding) => {
    const [, usual] = wordsOf(finding);
    const cause = finding.cause?.[language];
    const code = finding.feishu_code === null ? '' : ` (${finding.feishu_code})`;
    return [
      cause === undefined ? null : el('p.cause', {}, `${cause}${code}`),
      el('p.remedy', {}, ...marked(finding.remedy?.[language] ?? usual)),
    ];
  };
  const items = findings.map((finding, i) =>
    el(
      'li',
      { 'data-finding': finding.name },
      i === 0 ? null : el('p.what', {}, sentence(finding)),
      ...detail(finding),
    ),
  );
  return el(
    'section.verdict',
    { 'data-verdict': verdict, role: 'status', 'aria-live': 'polite' },
    el('div.sign', {}, icon(ICONS[LOOKS[verdict]])),
    el(
      'div.words',
      {},
      el('h1', {}, headline),
      first === undefined ? el('p', {}, texts.allWell, ' ', errorsOf(status, texts)) : el('ul', {}, ...items),
    ),
  );
}

const HOUR_MS = 3_600_000;

/** What works may have failed for somebody all the same. */
function errorsOf({ at, errors }, texts) {
  const isRecent = ({ last_at: lastAt }) => Date.parse(at) - Date.parse(lastAt) < HOUR_MS;
  const count = errors.filter((error) => error.level !== 'warn' && isRecent(error)).length;
  return count === 0 ? texts.nothingWaits : texts.errorsBelow(count);
}

const colon = (language) => (language === 'zh_cn' ? '：' : ': ');
