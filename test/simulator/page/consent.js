/**
 * Feishu's consent page of the device flow, simulated (FEISHU.md §6.3): who is logged in, which app asks, for what.
 * Whoever is chosen here consents: the page does not know for whom the link was made.
 *
 * Test ids: those of consent-parts.js (data-result: agreed, refused, expired, unknown, used), `consent-code`,
 * `consent-agree`, `consent-refuse`, `consent-code-field`, `consent-continue`, `consent-problem`.
 */
import { api } from './api.js';
import { drawAccount, drawApp, drawEnd, drawPage, drawScopes } from './consent-parts.js';
import { consentWords } from './consent-texts.js';
import { el } from './dom.js';
import { chosenLocale, chosenUser } from './texts.js';

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
  drawPage(page.locale, drawSheet(), (locale) => {
    page.locale = locale;
    draw();
  });
}

function drawSheet() {
  if (page.userCode === '') return drawCodeForm();
  if (page.result) return [drawEnd(page.locale, page.result, page.result === 'agreed' || page.result === 'used')];
  return page.device ? drawQuestion(page.device) : [];
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
    drawApp(page.locale, device.app_name),
    drawAccount(page.locale, page.users, page.userId, (userId) => {
      page.userId = userId;
      draw();
    }),
    ...drawScopes(page.locale, scopes, page.unticked, draw),
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
