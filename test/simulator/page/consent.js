/**
 * Feishu's consent page of the device flow, simulated (FEISHU.md §6.3): who is logged in, which app asks, for what.
 * Whoever is chosen here consents: the page does not know for whom the link was made.
 *
 * Test ids: `consent-user` (select), `consent-app`, `consent-code`, `consent-scope-<scope>` (checkbox),
 * `consent-agree`, `consent-refuse`, `consent-result` (data-result: agreed, refused, expired, unknown, used),
 * `consent-code-field`, `consent-continue`, `consent-problem`, `language-zh_cn`, `language-en_us`.
 */
import { api } from './api.js';
import { consentWords, scopeWords } from './consent-texts.js';
import { avatar, el, ICONS, icon } from './dom.js';
import { chooseLocale, chooseUser, chosenLocale, chosenUser } from './texts.js';

const LANGUAGES = [
  ['zh_cn', '中文'],
  ['en_us', 'English'],
];
const COUNTDOWN_MS = 1000;
const RESULT_OF_STATUS = { approved: 'used', denied: 'refused', expired: 'expired' };

const page = {
  locale: chosenLocale(),
  userCode: new URLSearchParams(location.search).get('user_code') ?? '',
  users: [],
  userId: null,
  device: null,
  /** Names of scopes the person has unticked. */
  unticked: new Set(),
  result: null,
  problem: null,
  working: false,
};

const say = (key, values) => consentWords(page.locale, key, values);

async function load() {
  const state = await api.state();
  page.users = state.users ?? [];
  page.userId ??= chosenUser(page.users)?.user_id ?? null;
  if (page.userCode !== '') {
    page.device = await api.device(page.userCode);
    page.result = resultOf(page.device);
  }
  draw();
}

function resultOf(device) {
  if (device.http !== 200) return 'unknown';
  const known = RESULT_OF_STATUS[device.status] ?? null;
  return known === null && device.expires_at <= Date.now() ? 'expired' : known;
}

function draw() {
  document.documentElement.lang = page.locale === 'zh_cn' ? 'zh' : 'en';
  document.title = say('title');
  document
    .querySelector('#consent')
    .replaceChildren(
      el('header.top', {}, el('span.simulated', {}, say('simulated')), drawLanguages()),
      el('section.sheet', {}, ...drawSheet()),
    );
}

function drawSheet() {
  if (page.userCode === '') return drawCodeForm();
  if (page.result) return drawResult(page.result);
  return page.device ? drawQuestion(page.device) : [];
}

function drawLanguages() {
  return el(
    'span.languages',
    { role: 'group' },
    ...LANGUAGES.map(([locale, label]) =>
      el(
        'button',
        {
          type: 'button',
          'data-testid': `language-${locale}`,
          'aria-pressed': String(locale === page.locale),
          onclick: () => {
            page.locale = locale;
            chooseLocale(locale);
            draw();
          },
        },
        label,
      ),
    ),
  );
}

function drawCodeForm() {
  const field = el('input', { 'data-testid': 'consent-code-field', autocomplete: 'off', required: true });
  const go = (event) => {
    event.preventDefault();
    const url = new URL(location.href);
    url.searchParams.set('user_code', field.value.trim());
    location.assign(url);
  };
  return [
    el('h1', {}, say('enterCode')),
    el(
      'form.code-form',
      { onsubmit: go },
      field,
      el('button.filled', { 'data-testid': 'consent-continue' }, say('continue')),
    ),
  ];
}

function drawQuestion(device) {
  const scopes = device.scopes ?? [];
  const chosen = scopes.filter((scope) => !page.unticked.has(scope));
  return [
    el(
      'div.app',
      {},
      avatar(device.app_name, 'bot'),
      el('h1', {}, el('span', { 'data-testid': 'consent-app' }, device.app_name), ' ', say('asks')),
    ),
    drawAccount(),
    el('p.scopes-title', {}, say('scopes')),
    el('ul.scopes', {}, ...scopes.map(drawScope)),
    el(
      'div.code',
      {},
      el('span', {}, say('code')),
      el('b', { 'data-testid': 'consent-code' }, page.userCode),
      el('small', {}, say('codeHint')),
      el('small', { id: 'countdown' }, countdownText(device)),
    ),
    page.problem ? el('p.bad', { 'data-testid': 'consent-problem' }, page.problem) : null,
    el(
      'div.answers',
      {},
      el(
        'button.filled',
        {
          type: 'button',
          'data-testid': 'consent-agree',
          disabled: page.working || chosen.length === 0,
          title: chosen.length === 0 ? say('none') : null,
          onclick: () => void answer('agreed', () => api.consent(page.userCode, page.userId, chosen)),
        },
        page.working ? say('working') : say('agree'),
      ),
      el(
        'button.plain',
        {
          type: 'button',
          'data-testid': 'consent-refuse',
          disabled: page.working,
          onclick: () => void answer('refused', () => api.deny(page.userCode, page.userId)),
        },
        say('refuse'),
      ),
    ),
  ].filter((node) => node !== null);
}

function drawAccount() {
  const user = page.users.find((candidate) => candidate.user_id === page.userId);
  const select = el('select', {
    'data-testid': 'consent-user',
    onchange: () => {
      page.userId = select.value;
      chooseUser(select.value);
      draw();
    },
  });
  for (const candidate of page.users) select.append(el('option', { value: candidate.user_id }, candidate.name));
  select.value = page.userId ?? '';
  return el('label.account', {}, avatar(user?.name ?? '?'), el('span', {}, say('asUser')), select);
}

function drawScope(scope) {
  const words = scopeWords(scope, page.locale);
  const box = el('input', {
    type: 'checkbox',
    'data-testid': `consent-scope-${scope}`,
    checked: !page.unticked.has(scope),
    onchange: () => {
      if (box.checked) page.unticked.delete(scope);
      else page.unticked.add(scope);
      draw();
    },
  });
  return el(
    'li',
    {},
    el('label', {}, box, el('span.scope-words', {}, words, words === scope ? null : el('code', {}, scope))),
  );
}

function drawResult(result) {
  const good = result === 'agreed' || result === 'used';
  return [
    el(
      'div.result',
      { 'data-testid': 'consent-result', 'data-result': result },
      el(`span.result-icon${good ? '.result-good' : ''}`, {}, icon(good ? ICONS.check : ICONS.cross, 32)),
      el('h1', {}, say(result)),
      el('p', {}, say(`${result}Hint`)),
    ),
  ];
}

async function answer(result, send) {
  page.working = true;
  page.problem = null;
  draw();
  const reply = await send().catch(() => ({ http: 0 }));
  page.working = false;
  if (reply.http === 200) {
    page.result = result;
    draw();
    return;
  }
  page.problem = say(reply.outcome === 'not_available' ? 'notAvailable' : 'failed');
  // The link may have died or been used meanwhile: what it is now decides what is shown.
  await load().catch(draw);
}

function countdownText(device) {
  const seconds = Math.max(0, Math.round((device.expires_at - Date.now()) / 1000));
  return say('left', { minutes: Math.floor(seconds / 60), seconds: seconds % 60 });
}

function tick() {
  if (!page.device || page.result) return;
  if (page.device.expires_at <= Date.now()) {
    page.result = 'expired';
    draw();
    return;
  }
  const node = document.querySelector('#countdown');
  if (node) node.textContent = countdownText(page.device);
}

setInterval(tick, COUNTDOWN_MS);
load().catch(() => {
  document.querySelector('#consent').replaceChildren(el('p.bad', {}, say('failed')));
});
