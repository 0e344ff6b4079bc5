/**
 * What the two consent pages (device flow and authorization code) show alike: the frame with the choice of language,
 * the app that asks, who is logged in, a scope to tick, and an end. Draws only; the pages keep the state.
 *
 * Test ids: `language-zh_cn`, `language-en_us`, `consent-app`, `consent-user` (select),
 * `consent-scope-<scope>` (checkbox), `consent-result` (with data-result).
 */
import { consentWords, scopeWords } from './consent-texts.js';
import { avatar, el, ICONS, icon } from './dom.js';
import { chooseLocale, chooseUser } from './texts.js';

const LANGUAGES = [
  ['zh_cn', '中文'],
  ['en_us', 'English'],
];

/** Replaces the page by `sheet`. `onLocale(locale)` is called after another language was chosen. */
export function drawPage(locale, sheet, onLocale) {
  document.documentElement.lang = locale === 'zh_cn' ? 'zh' : 'en';
  document.title = consentWords(locale, 'title');
  document
    .querySelector('#consent')
    .replaceChildren(
      el(
        'header.top',
        {},
        el('span.simulated', {}, consentWords(locale, 'simulated')),
        drawLanguages(locale, onLocale),
      ),
      el('section.sheet', {}, ...sheet),
    );
}

function drawLanguages(chosen, onLocale) {
  return el(
    'span.languages',
    { role: 'group' },
    ...LANGUAGES.map(([locale, label]) =>
      el(
        'button',
        {
          type: 'button',
          'data-testid': `language-${locale}`,
          'aria-pressed': String(locale === chosen),
          onclick: () => {
            chooseLocale(locale);
            onLocale(locale);
          },
        },
        label,
      ),
    ),
  );
}

export function drawApp(locale, name) {
  return el(
    'div.app',
    {},
    avatar(name, 'bot'),
    el('h1', {}, el('span', { 'data-testid': 'consent-app' }, name), ' ', consentWords(locale, 'asks')),
  );
}

/** The login choice. `onUser(userId)` is called after another person was chosen. */
export function drawAccount(locale, users, userId, onUser) {
  const user = users.find((candidate) => candidate.user_id === userId);
  const select = el('select', {
    'data-testid': 'consent-user',
    onchange: () => {
      chooseUser(select.value);
      onUser(select.value);
    },
  });
  for (const candidate of users) select.append(el('option', { value: candidate.user_id }, candidate.name));
  select.value = userId ?? '';
  return el('label.account', {}, avatar(user?.name ?? '?'), el('span', {}, consentWords(locale, 'asUser')), select);
}

export function drawScopes(locale, scopes, unticked, onChange) {
  return [
    el('p.scopes-title', {}, consentWords(locale, 'scopes')),
    el('ul.scopes', {}, ...scopes.map((scope) => drawScope(locale, scope, unticked, onChange))),
  ];
}

/** @param {Set<string>} unticked is changed here */
function drawScope(locale, scope, unticked, onChange) {
  const words = scopeWords(scope, locale);
  const box = el('input', {
    type: 'checkbox',
    'data-testid': `consent-scope-${scope}`,
    checked: !unticked.has(scope),
    onchange: () => {
      if (box.checked) unticked.delete(scope);
      else unticked.add(scope);
      onChange();
    },
  });
  return el(
    'li',
    {},
    el('label', {}, box, el('span.scope-words', {}, words, words === scope ? null : el('code', {}, scope))),
  );
}

/** How it ended; the words are those of `result` and `<result>Hint`. */
export function drawEnd(locale, result, good, ...more) {
  return el(
    'div.result',
    { 'data-testid': 'consent-result', 'data-result': result },
    el(`span.result-icon${good ? '.result-good' : ''}`, {}, icon(good ? ICONS.check : ICONS.cross, 32)),
    el('h1', {}, consentWords(locale, result)),
    el('p', {}, consentWords(locale, `${result}Hint`)),
    ...more,
  );
}
