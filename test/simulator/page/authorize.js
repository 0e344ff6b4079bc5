/**
 * Feishu's authorize page of the authorization code grant, simulated (FEISHU.md §6.1). What the link asks, or what is
 * wrong with it, comes in the page; the answer is a form posted back, so that the browser follows a real redirect.
 * Whoever is chosen here consents: the page does not know for whom the link was made.
 *
 * Test ids: those of consent-parts.js (data-result: blocked), `consent-agree`, `consent-refuse`, `consent-error`
 * (the code), `consent-other-account`.
 */
import { api } from './api.js';
import { drawAccount, drawApp, drawEnd, drawPage, drawScopes } from './consent-parts.js';
import { consentWords, errorWords, scopeWords } from './consent-texts.js';
import { el } from './dom.js';
import { chosenLocale, chosenUser } from './texts.js';

const page = {
  locale: chosenLocale(),
  asked: JSON.parse(document.querySelector('#authorization').textContent),
  users: [],
  userId: null,
  /** Names of scopes the person has unticked. */
  unticked: new Set(),
};

const say = (key) => consentWords(page.locale, key);

async function load() {
  if (page.asked.error_code !== undefined) return draw();
  page.users = (await api.state()).users ?? [];
  page.userId = chosenUser(page.users)?.user_id ?? null;
  draw();
  // Inside the client a person who has granted all of it before does not see the page.
  if (page.asked.silent_for.includes(page.userId)) document.querySelector('[data-testid=consent-agree]').click();
}

function draw() {
  drawPage(page.locale, page.asked.error_code === undefined ? drawQuestion() : drawProblem(), (locale) => {
    page.locale = locale;
    draw();
  });
}

function drawQuestion() {
  const { app_name: appName, scopes } = page.asked;
  const chosen = scopes.filter((scope) => !page.unticked.has(scope));
  const nothing = scopes.length > 0 && chosen.length === 0;
  return [
    drawApp(page.locale, appName),
    drawAccount(page.locale, page.users, page.userId, (userId) => {
      page.userId = userId;
      draw();
    }),
    ...(scopes.length === 0 ? [] : drawScopes(page.locale, scopes, page.unticked, draw)),
    el(
      'form.answers',
      { method: 'post', action: location.href },
      el('input', { type: 'hidden', name: 'user_id', value: page.userId ?? '' }),
      el('input', { type: 'hidden', name: 'scopes', value: chosen.join(' ') }),
      el(
        'button.filled',
        {
          name: 'decision',
          value: 'consent',
          'data-testid': 'consent-agree',
          disabled: nothing,
          title: nothing ? say('none') : null,
        },
        say('agree'),
      ),
      el('button.plain', { name: 'decision', value: 'deny', 'data-testid': 'consent-refuse' }, say('refuse')),
    ),
  ];
}

function drawProblem() {
  const { app_name: appName, error_code: code, reason, scopes } = page.asked;
  const names = scopes.map((scope) => {
    const words = scopeWords(scope, page.locale);
    return el('li', {}, words, words === scope ? null : el('code', {}, scope));
  });
  return [
    drawEnd(
      page.locale,
      'blocked',
      false,
      appName === undefined ? null : el('p', {}, el('b', {}, appName)),
      el(
        'p.error-code',
        {},
        el('b', { 'data-testid': 'consent-error' }, String(code)),
        ' ',
        errorWords(code, page.locale, reason),
      ),
      el('p', {}, el('code', {}, reason)),
      names.length === 0 ? null : el('ul.error-scopes', {}, ...names),
      code === 20010 || code === 20066
        ? el('a', { href: location.href, 'data-testid': 'consent-other-account' }, say('otherAccount'))
        : null,
    ),
  ];
}

load().catch(() => {
  document.querySelector('#consent').replaceChildren(el('p.bad', {}, say('failed')));
});
