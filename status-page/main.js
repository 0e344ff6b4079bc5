/**
 * The page: asks for the key, reads the status every few seconds while it is looked at, draws it, and says when what it
 * shows is old. Everything it needs comes from the server it was loaded from.
 */
import { keepKey, readKey, readStatus } from './api.js';
import { drawBudgets, drawGrants, drawSessions } from './apps.js';
import { el, ICONS, icon } from './dom.js';
import { drawErrors } from './errors.js';
import { drawProcesses, drawQueues, drawStore } from './fleet.js';
import { formatsOf } from './format.js';
import { keepLanguage, LANGUAGES, readLanguage } from './language.js';
import { TEXTS } from './texts.js';
import { drawVerdict } from './verdict.js';

const EVERY_MS = 5_000;

const top = document.getElementById('top');
const content = document.getElementById('content');

const page = {
  language: readLanguage(),
  key: readKey(),
  /** Why the key was refused: 401 or 403. */
  refused: null,
  /** The last answer, and when it came (performance.now). */
  status: null,
  readAt: 0,
  /** The last call got no answer. */
  away: false,
};
let timer = 0;
let turn = 0;

const texts = () => TEXTS[page.language];

async function read() {
  clearTimeout(timer);
  if (page.key === null) return;
  turn += 1;
  const mine = turn;
  const answer = await readStatus(page.key);
  // The key was changed, or another call was begun meanwhile.
  if (mine !== turn || page.key === null) return;
  if (answer.kind === 'refused') {
    keepKey(null);
    Object.assign(page, { key: null, refused: answer.code, status: null });
    return draw();
  }
  if (answer.kind === 'ok') {
    keepKey(page.key);
    Object.assign(page, { status: answer.status, readAt: performance.now(), away: false });
  } else page.away = true;
  if (!document.hidden) timer = setTimeout(read, EVERY_MS);
  // Whoever marks a log id in order to copy it must not lose it.
  if (!isSelecting() || page.away) draw();
}

const isSelecting = () => content.contains(getSelection()?.anchorNode ?? null) && !getSelection().isCollapsed;

function draw() {
  document.documentElement.lang = page.language === 'zh_cn' ? 'zh-CN' : 'en';
  document.title = titleOf();
  drawTop();
  if (page.key === null) content.replaceChildren(keyForm());
  else if (page.status === null)
    content.replaceChildren(el('p.notice', { 'data-away': page.away }, page.away ? texts().away : texts().loading));
  else drawStatus(page.status);
}

function titleOf() {
  const verdict = page.status === null || page.away ? texts().title : texts().verdicts[page.status.verdict];
  return `${verdict} · feishu-authd`;
}

function drawTop() {
  const switches = Object.entries(LANGUAGES).map(([language, name]) =>
    el(
      'button',
      {
        type: 'button',
        'aria-pressed': String(language === page.language),
        'data-language': language,
        onclick: () => speak(language),
      },
      name,
    ),
  );
  const signOut = el(
    'button',
    { type: 'button', 'data-action': 'sign-out', onclick: () => useKey(null) },
    texts().signOut,
  );
  top.replaceChildren(
    el('span.brand', {}, el('img', { src: 'status-page/icon.svg', alt: '', width: 24, height: 24 }), 'feishu-authd'),
    el('span.age', { id: 'age' }),
    el('span.switches', { role: 'group', 'aria-label': 'Language / 语言' }, ...switches),
    ...(page.key === null ? [] : [signOut]),
  );
  drawAge();
}

/** Every second, without drawing anything else anew. */
function drawAge() {
  const age = document.getElementById('age');
  if (age === null) return;
  if (page.status === null) return age.replaceChildren();
  const seconds = (performance.now() - page.readAt) / 1000;
  const at = Date.parse(page.status.at);
  const { ago } = formatsOf(page.language, at + seconds * 1000);
  const updated = seconds < 2 ? texts().justUpdated : texts().updated(ago(page.status.at));
  age.replaceChildren(`${updated} · ${texts().version(page.status.version)}`);
}

function keyForm() {
  const field = el('input', { id: 'key', type: 'password', autocomplete: 'off', spellcheck: 'false', required: true });
  const submit = (event) => {
    event.preventDefault();
    useKey(field.value.trim());
  };
  return el(
    'form.key',
    { onsubmit: submit, 'data-refused': page.refused ?? 'no' },
    el('label', { for: 'key' }, texts().key),
    field,
    page.refused === null ? null : el('p.bad', { role: 'alert' }, texts().refused[page.refused]),
    el('button', { type: 'submit' }, texts().show),
    el('p.quiet', {}, texts().keyHint),
  );
}

function drawStatus(status) {
  const now = Date.parse(status.at);
  const view = { language: page.language, texts: texts(), formats: formatsOf(page.language, now) };
  content.replaceChildren(
    ...(page.away ? [staleNotice(view)] : []),
    el(
      'div.status',
      { 'data-stale': page.away },
      drawVerdict(status, view),
      el(
        'div.columns',
        {},
        el('div', {}, drawProcesses(status, view), drawQueues(status, view), drawBudgets(status, view)),
        el('div', {}, drawSessions(status, view), drawGrants(status, view), drawStore(status, view)),
      ),
      drawErrors(status, view),
    ),
  );
}

const staleNotice = ({ formats }) =>
  el(
    'p.notice',
    { 'data-away': true, role: 'alert' },
    icon(ICONS.warning),
    texts().stale(formats.clock(page.status.at)),
  );

function useKey(key) {
  keepKey(null);
  Object.assign(page, { key: key || null, refused: null, status: null, away: false });
  turn += 1;
  draw();
  if (key) void read();
  else document.getElementById('key')?.focus();
}

function speak(language) {
  keepLanguage(language);
  page.language = language;
  draw();
}

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void read();
});
setInterval(drawAge, 1_000);
draw();
if (page.key === null) document.getElementById('key')?.focus();
else void read();
