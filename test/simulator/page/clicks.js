/**
 * Clicks on cards as a client makes them: confirmation first, an address is opened, a callback goes out and the card
 * is still until its answer is there; then the answer's card is shown at once, its toast, or the error.
 */
import { api } from './api.js';
import { clientError } from './client-errors.js';
import { askConfirmation, openUrl, showToast } from './overlays.js';

export class Clicks {
  #view;
  #refresh;
  #redraw;
  /** message id -> path of the pressed component. */
  #inHand = new Map();
  /** message id -> card of an answer, until the state has caught up. */
  #answered = new Map();

  constructor({ view, refresh, redraw }) {
    this.#view = view;
    this.#refresh = refresh;
    this.#redraw = redraw;
  }

  busyPath(messageId) {
    return this.#inHand.get(messageId) ?? null;
  }

  cardOf(message) {
    return this.#answered.get(message.id) ?? message.content;
  }

  /** The state was fetched anew: it knows better than the answers. */
  settle() {
    this.#answered.clear();
  }

  async press(message, { path, behaviors, confirm }) {
    if (this.#inHand.has(message.id)) return;
    if (confirm && !(await askConfirmation(confirm, this.#view.locale))) return;
    const link = behaviors.find((behavior) => behavior.type === 'open_url');
    const callback = behaviors.find((behavior) => behavior.type === 'callback');
    if (link) openUrl(link, this.#view.locale);
    if (callback) await this.#send(message, path, callback.value);
  }

  async #send(message, path, value) {
    this.#inHand.set(message.id, path);
    this.#redraw();
    const { locale, userId } = this.#view;
    try {
      const answer = await api.click({ message_id: message.id, user_id: userId, value, locale });
      if (answer.card) this.#answered.set(message.id, answer.card.data ?? answer.card);
      this.#show(answer);
    } catch {
      this.#show({ error_code: 300000 });
    } finally {
      this.#inHand.delete(message.id);
      this.#redraw();
      await this.#refresh();
    }
  }

  #show(answer) {
    const { locale } = this.#view;
    if (answer.error_code) {
      const { says, because } = clientError(answer.error_code, locale);
      showToast({ type: 'error', text: says, detail: because });
    } else if (answer.toast) {
      const text = answer.toast.i18n?.[locale] ?? answer.toast.content ?? '';
      showToast({ type: answer.toast.type, text });
    }
  }
}
