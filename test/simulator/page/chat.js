/**
 * The chat page: fetches the simulator's state after everything that happens and draws it. Level-triggered: events
 * only say "look again", so a lost one costs nothing.
 *
 * Test ids: `acting-user` (select), `language-zh_cn`, `language-en_us`, `chat-<chat_id>`, `message-<message_id>`,
 * `card`, `card-header` (data-template), `card-title`, `card-body`, `card-markdown`, `card-text`, `card-button`
 * (data-type, data-loading, data-disabled), `card-panel-title`, `toast` (data-type), `confirm`, `confirm-ok`,
 * `confirm-cancel`, `web-view`, `web-view-close`, `link-lost`, `connections` (data-count); of the demo: `company`,
 * `ask-user`, `ask-client`, `ask-scope-<scope>`, `ask-reason`, `ask-send`, `ask-state` (data-state), `ask-token`
 * (data-length), `ask-problem`. The consent page lists its own in consent.js.
 */
import { api, watch } from './api.js';
import { drawChatList } from './chat-list.js';
import { Clicks } from './clicks.js';
import { CompanyPanel } from './company.js';
import { el } from './dom.js';
import { MessageList } from './message-list.js';
import { readState } from './model.js';
import { drawRail } from './rail.js';
import { chooseLocale, chooseUser, chosenLocale, chosenUser, words } from './texts.js';

class ChatPage {
  /** What all parts draw from. `seen`: chat id -> messages seen. `awaited`: whose next message opens its chat. */
  #view = { state: null, locale: chosenLocale(), userId: null, chatId: null, seen: new Map(), awaited: null };
  #clicks = new Clicks({ view: this.#view, refresh: () => this.#refresh(), redraw: () => this.#draw() });
  #messages = new MessageList({ view: this.#view, clicks: this.#clicks });
  #company = new CompanyPanel({ view: this.#view, refresh: () => this.#refresh() });
  #fetching = false;
  #again = false;

  start() {
    watch({ onChange: () => void this.#refresh(), onLink: (up) => this.#showLink(up) });
    void this.#company.start();
  }

  /** Fetches the state; all calls made while one fetch runs are answered by one more. */
  async #refresh() {
    this.#again = true;
    if (this.#fetching) return;
    this.#fetching = true;
    while (this.#again) {
      this.#again = false;
      await this.#load();
    }
    this.#fetching = false;
  }

  async #load() {
    const raw = await api.state().catch(() => null);
    if (raw === null) {
      this.#showLink(false);
      return;
    }
    const view = this.#view;
    view.state = readState(raw);
    this.#clicks.settle();
    view.userId ??= this.#sitDown();
    // What was there before the page was opened is not news.
    if (view.seen.size === 0) for (const chat of view.state.chats) view.seen.set(chat.id, chat.messages.length);
    this.#openAwaited();
    if (!this.#chat()) view.chatId = this.#firstChat()?.id ?? null;
    this.#draw();
  }

  /** Whoever the address or an earlier visit names; the authorization page beside the chat then knows, too. */
  #sitDown() {
    const user = chosenUser(this.#view.state.users);
    if (!user) return null;
    chooseUser(user.user_id);
    chooseLocale(this.#view.locale);
    return user.user_id;
  }

  #chat() {
    return this.#view.state?.chats.find((chat) => chat.id === this.#view.chatId);
  }

  #firstChat() {
    const { chats } = this.#view.state;
    return chats.find((chat) => chat.memberIds.includes(this.#view.userId)) ?? chats[0];
  }

  /** After an ask from the demo's panel the chat that the card arrives in opens by itself. */
  #openAwaited() {
    const { awaited, state } = this.#view;
    const chat = state.chats.find(
      ({ kind, memberIds, at }) => kind === 'p2p' && memberIds.includes(awaited?.userId) && at >= awaited.since,
    );
    if (!chat) return;
    this.#view.chatId = chat.id;
    this.#view.awaited = null;
  }

  #draw() {
    const view = this.#view;
    if (!view.state) return;
    const chat = this.#chat();
    if (chat) view.seen.set(chat.id, chat.messages.length);
    document.documentElement.lang = view.locale === 'zh_cn' ? 'zh' : 'en';
    const onLocale = (locale) => this.#choose(() => chooseLocale(locale), { locale });
    const onUser = (userId) => this.#choose(() => chooseUser(userId), { userId });
    document.querySelector('#rail').replaceChildren(...drawRail({ view, onLocale, onUser }));
    const onChat = (chatId) => this.#choose(() => undefined, { chatId });
    document.querySelector('#chats').replaceChildren(...drawChatList({ view, onChat }));
    this.#messages.draw(chat);
    this.#company.draw();
  }

  #choose(remember, change) {
    remember();
    Object.assign(this.#view, change);
    this.#draw();
  }

  #showLink(up) {
    document.querySelector('#link-lost')?.remove();
    if (up) return;
    const text = words(this.#view.locale, 'lost');
    document.body.append(el('div', { id: 'link-lost', 'data-testid': 'link-lost' }, text));
  }
}

new ChatPage().start();
