/**
 * What lies over the page: toasts, the confirmation before a behavior, and the web view a client opens beside the
 * chat (FEISHU.md §5.5). Each is made on demand and removed when it is done.
 */
import { pickText } from './card-text.js';
import { el, ICONS, icon } from './dom.js';
import { words } from './texts.js';

const TOAST_MS = 5000;
const TOAST_ICONS = { success: ICONS.check, error: ICONS.cross, warning: ICONS.warning, info: ICONS.info };

/** @param {{type?: string, text: string, detail?: string}} toast detail: a smaller second line of the simulator */
export function showToast({ type = 'info', text, detail = '' }) {
  const kind = type in TOAST_ICONS ? type : 'info';
  const node = el(
    'div.toast',
    { 'data-testid': 'toast', 'data-type': kind, role: 'status' },
    el('span.toast-icon', {}, icon(TOAST_ICONS[kind], 12)),
    el('span.toast-text', {}, text, detail ? el('small', {}, detail) : null),
  );
  document.querySelector('#toasts').append(node);
  setTimeout(() => node.remove(), TOAST_MS);
}

/** Asks before a behavior. Resolves with true for "confirm". */
export function askConfirmation(confirm, locale) {
  return new Promise((resolve) => {
    const done = (answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    const dialog = el(
      'dialog.confirm',
      { 'data-testid': 'confirm' },
      el('h2', {}, pickText(confirm.title, locale)),
      confirm.text ? el('p', {}, pickText(confirm.text, locale)) : null,
      el(
        'div.confirm-buttons',
        {},
        el(
          'button.plain',
          { type: 'button', 'data-testid': 'confirm-cancel', onclick: () => done(false) },
          words(locale, 'cancel'),
        ),
        el(
          'button.filled',
          { type: 'button', 'data-testid': 'confirm-ok', onclick: () => done(true) },
          words(locale, 'ok'),
        ),
      ),
    );
    dialog.addEventListener('cancel', () => done(false));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * Opens an address the way the client would: an applink to a web page inside the chat's side, anything else in a tab
 * of the browser.
 * @param {{default_url?: string, pc_url?: string}} behavior
 */
export function openUrl(behavior, locale) {
  const url = behavior.pc_url ?? behavior.default_url ?? '';
  const target = appLinkTarget(url);
  if (target && staysHere(target)) showWebView(target, locale);
  else window.open(target ?? url, '_blank', 'noopener');
}

/** The page inside an applink `…/client/web_url/open?url=`. */
function appLinkTarget(url) {
  if (!URL.canParse(url)) return null;
  const link = new URL(url);
  if (link.pathname !== '/client/web_url/open') return null;
  const target = link.searchParams.get('url') ?? '';
  return URL.canParse(target) ? target : null;
}

/** Other sites refuse to be framed, and the authorize page leads to one. The client's web view is no frame. */
const staysHere = (url) =>
  new URL(url).origin === location.origin && new URL(url).pathname !== '/open-apis/authen/v1/authorize';

function showWebView(url, locale) {
  document.querySelector('.web-view')?.remove();
  const view = el(
    'aside.web-view',
    { 'data-testid': 'web-view' },
    el(
      'header',
      {},
      el(
        'a',
        { href: url, target: '_blank', rel: 'noopener', title: words(locale, 'openInBrowser') },
        icon(ICONS.external, 16),
      ),
      el('span', {}, new URL(url).host),
      el(
        'button',
        {
          type: 'button',
          'data-testid': 'web-view-close',
          'aria-label': words(locale, 'close'),
          onclick: () => view.remove(),
        },
        icon(ICONS.cross, 16),
      ),
    ),
    el('iframe', { src: url, title: new URL(url).host }),
  );
  document.querySelector('#app').append(view);
}
