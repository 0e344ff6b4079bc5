/** The page of each outcome: its words, and what only this session has (names, scopes, details for support). Pure. */
import type { LocalizedText } from '../../../config/config.js';
import { cleanName } from '../../../domain/plain-text.js';
import type { RedirectNames } from '../../../domain/redirect.js';
import type { FailureDetail } from '../../../domain/session.js';
import type { Awaited } from '../outcomes.js';
import type { PageWords } from '../ports.js';
import { type Content, contentOf, type Detail } from './content.js';
import { REOPEN_AFTERWARDS, START_AGAIN_IN_CHAT, TEXTS } from './texts.js';

/** Characters of a name, as on the cards. */
const MAX_NAME = 60;
const MAX_SCOPE = 128;
const MAX_SCOPES = 50;
const MAX_REMEDY = 500;
const MAX_ID = 64;
/** A server that is about to go comes back, or another one takes its place, but hardly within two seconds. */
const CLOSING_REFRESH_SECONDS = 10;

export function outcomeContent(outcome: Awaited, words: PageWords): Content {
  if (outcome.kind === 'waiting') return contentOf(TEXTS.working);
  if (outcome.kind === 'closing') return contentOf({ ...TEXTS.working, refreshSeconds: CLOSING_REFRESH_SECONDS });
  const content = contentOf(TEXTS[outcome.kind]);
  if (!('names' in outcome)) return content;
  const named: Content = { ...content, variables: namesOf(outcome.names) };
  switch (outcome.kind) {
    case 'missing_scopes':
      return { ...named, list: scopeList(outcome.missing, words) };
    case 'wrong_account': {
      const triesLeft = String(Math.max(0, Math.trunc(outcome.triesLeft)));
      return { ...named, variables: { ...named.variables, tries_left: { zh_cn: triesLeft, en_us: triesLeft } } };
    }
    case 'failed': {
      const { happened, next } = words.failure(outcome.reason, outcome.detail?.feishu_code);
      // The contact's words point at the details below.
      const contact = outcome.detail === null ? [] : [words.contact(outcome.detail.for)];
      return {
        ...named,
        happened: [happened],
        next: [next, ...contact, START_AGAIN_IN_CHAT],
        details: detailsOf(outcome.detail),
      };
    }
    case 'try_again':
    case 'refused':
      return withDetail(named, outcome.detail, words);
    default:
      return named;
  }
}

/** What Feishu's code means is told first where there are words for it; who has to act before she can, too. */
function withDetail(content: Content, detail: FailureDetail | null, words: PageWords): Content {
  if (detail === null) return content;
  const meaning = detail.feishu_code === undefined ? null : words.code(detail.feishu_code);
  return {
    ...content,
    happened: meaning === null ? content.happened : [meaning, ...content.happened],
    next: detail.for === 'user' ? content.next : [words.contact(detail.for), REOPEN_AFTERWARDS],
    details: detailsOf(detail),
  };
}

function namesOf({ app, client }: RedirectNames): Content['variables'] {
  const appName = cleanName(app, MAX_NAME);
  return {
    client: {
      zh_cn: cleanName(client.zh_cn, MAX_NAME) || appName,
      en_us: cleanName(client.en_us, MAX_NAME) || appName,
    },
    app: { zh_cn: appName, en_us: appName },
  };
}

/** One line for each text: several scopes may allow the same in words. */
function scopeList(scopes: readonly string[], words: PageWords): LocalizedText[] {
  const texts = scopes.slice(0, MAX_SCOPES).map((scope) => {
    const { en_us, zh_cn } = words.scope(scope);
    return { zh_cn: cleanName(zh_cn, MAX_SCOPE), en_us: cleanName(en_us, MAX_SCOPE) };
  });
  const distinct = [...new Map(texts.map((text) => [`${text.zh_cn}\n${text.en_us}`, text])).values()];
  const more = scopes.length - MAX_SCOPES;
  return more > 0 ? [...distinct, { zh_cn: `… +${more}`, en_us: `… +${more}` }] : distinct;
}

function detailsOf(detail: FailureDetail | null): Detail[] {
  if (detail === null) return [];
  const code = detail.feishu_code === undefined ? '' : String(detail.feishu_code);
  // What the user herself can do is what the page says in her language.
  const remedy = detail.for === 'user' ? '' : cleanName(detail.remedy, MAX_REMEDY);
  return [
    { label: { zh_cn: '处理办法', en_us: 'Remedy' }, value: remedy },
    { label: { zh_cn: '飞书错误码', en_us: 'Feishu code' }, value: code },
    { label: { zh_cn: '飞书日志号', en_us: 'Feishu log id' }, value: cleanName(detail.log_id ?? '', MAX_ID) },
  ].filter(({ value }) => value !== '');
}
