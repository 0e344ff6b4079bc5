/**
 * The panel "a service of your company": only where the demo's own API is there. It asks for consent as a backend
 * would, follows the session, and shows that the service can read a token. No API key and no token reach this page.
 */
import { api } from './api.js';
import { el } from './dom.js';
import { words } from './texts.js';

const AGAIN_MS = 1000;

export class CompanyPanel {
  #view;
  #refresh;
  #service = null;
  #locale = null;
  #wish = { userId: null, scopes: new Set(), reason: null };
  /** {sending, problem, session, already, token}: what the lower half shows. */
  #result = {};

  constructor({ view, refresh }) {
    this.#view = view;
    this.#refresh = refresh;
  }

  async start() {
    const service = await api.demo().catch(() => ({ http: 0 }));
    if (service.http !== 200) return;
    this.#service = service;
    for (const scope of service.scopes) if (scope.preselected) this.#wish.scopes.add(scope.name);
    document.querySelector('#company').hidden = false;
    this.#build();
  }

  /** Called on every redraw of the page; the form itself is only rebuilt for another language. */
  draw() {
    if (this.#service && this.#locale !== this.#view.locale) this.#build();
  }

  #build() {
    if (!this.#view.state) return;
    this.#locale = this.#view.locale;
    this.#wish.userId ??= this.#view.userId;
    const say = (key) => words(this.#view.locale, key);
    const panel = document.querySelector('#company');
    panel.dataset.testid = 'company';
    panel.replaceChildren(
      el('h2', {}, say('company')),
      el('p.hint', {}, say('companyHint')),
      el(
        'div.company-name',
        {},
        el('b', {}, this.#text(this.#service.display_name)),
        el('code', {}, this.#service.client_id),
      ),
      el('label', {}, el('span', {}, say('askWhom')), this.#userSelect()),
      el(
        'fieldset',
        {},
        el('legend', {}, say('askScopes')),
        ...this.#service.scopes.map((scope) => this.#scope(scope)),
      ),
      el('label', {}, el('span', {}, say('askReason')), this.#reason()),
      el('button.filled', { type: 'button', 'data-testid': 'ask-send', onclick: () => void this.#send() }, say('send')),
      el('div.company-result', { id: 'company-result', 'aria-live': 'polite' }),
    );
    this.#drawResult();
  }

  #text(texts) {
    return texts?.[this.#view.locale] ?? texts?.zh_cn ?? '';
  }

  #userSelect() {
    const select = el('select', { 'data-testid': 'ask-user', onchange: () => (this.#wish.userId = select.value) });
    for (const user of this.#view.state.users) select.append(el('option', { value: user.user_id }, user.name));
    select.value = this.#wish.userId;
    return select;
  }

  #scope(scope) {
    const box = el('input', {
      type: 'checkbox',
      'data-testid': `ask-scope-${scope.name}`,
      checked: this.#wish.scopes.has(scope.name),
      onchange: () => (box.checked ? this.#wish.scopes.add(scope.name) : this.#wish.scopes.delete(scope.name)),
    });
    return el('label.check', {}, box, el('span', {}, this.#text(scope.title), el('code', {}, scope.name)));
  }

  #reason() {
    const field = el('textarea', {
      'data-testid': 'ask-reason',
      rows: 3,
      oninput: () => (this.#wish.reason = field.value),
    });
    field.value = this.#wish.reason ?? words(this.#view.locale, 'askReasonDefault');
    return field;
  }

  async #send() {
    this.#show({ sending: true });
    this.#view.awaited = { userId: this.#wish.userId, since: Date.now() };
    const reason = document.querySelector('[data-testid="ask-reason"]').value;
    const wish = { user_id: this.#wish.userId, scopes: [...this.#wish.scopes], reason };
    const answer = await api.ask(wish).catch((error) => ({ http: 0, detail: String(error) }));
    if (answer.session) {
      this.#show({ session: answer.session });
      await this.#follow(answer.session.session_id);
    } else if (answer.already_authorized) {
      this.#show({ already: true });
      await this.#readToken(answer.open_id);
    } else this.#show({ problem: answer.detail ?? answer.title ?? `HTTP ${answer.http}` });
    await this.#refresh();
  }

  /**
   * Looks at the session again and again until the user has authorized or another one was asked for. One that ended
   * otherwise may be started again on its card: then its successor is followed.
   */
  async #follow(firstId) {
    let sessionId = firstId;
    const isCurrent = () => this.#result.session?.session_id === sessionId;
    while (isCurrent() && this.#result.session.state !== 'completed') {
      const { session } = await api.session(sessionId).catch(() => ({}));
      if (!isCurrent()) return;
      sessionId = session?.next_session_id ?? sessionId;
      if (session) this.#show({ session: { ...session, session_id: sessionId } });
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
    if (isCurrent()) await this.#readToken(this.#result.session.open_id);
  }

  async #readToken(openId) {
    const token = await api.token(openId).catch(() => ({ http: 0 }));
    if (token.http === 200) this.#show({ ...this.#result, token });
    else this.#show({ ...this.#result, problem: token.detail ?? token.title ?? `HTTP ${token.http}` });
  }

  #show(result) {
    this.#result = result;
    this.#drawResult();
  }

  #drawResult() {
    const { sending, problem, session, already, token } = this.#result;
    const say = (key, values) => words(this.#view.locale, key, values);
    const rows = [];
    if (sending) rows.push(el('p', {}, say('sending')));
    if (session) {
      const state = el('b', { 'data-testid': 'ask-state', 'data-state': session.state }, say(`state_${session.state}`));
      rows.push(el('p', {}, `${say('session')}: `, state), el('code.session-id', {}, session.session_id));
    }
    if (already) rows.push(el('p', { 'data-testid': 'ask-already' }, say('tokenAlready')));
    if (token) {
      const text = say('tokenReadable', { length: token.length, seconds: token.expires_in });
      rows.push(el('p.good', { 'data-testid': 'ask-token', 'data-length': token.length }, `${say('token')}: ${text}`));
    }
    if (problem) rows.push(el('p.bad', { 'data-testid': 'ask-problem' }, say('failed', { detail: problem })));
    document.querySelector('#company-result')?.replaceChildren(...rows);
  }
}
