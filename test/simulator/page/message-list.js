/**
 * The open chat. A message is redrawn only when what it shows has changed, so that open panels, focus and the scroll
 * position stay.
 */
import { drawCard } from './card.js';
import { clockTime } from './chat-list.js';
import { avatar, el } from './dom.js';
import { postOf, textOf } from './model.js';
import { openUrl } from './overlays.js';
import { words } from './texts.js';

export class MessageList {
  #view;
  #clicks;
  /** message id -> {node, looks}: looks is everything the drawing depends on. */
  #drawn = new Map();
  #folded = new Map();
  #shell = null;
  #chatId = null;

  constructor({ view, clicks }) {
    this.#view = view;
    this.#clicks = clicks;
  }

  draw(chat) {
    const shell = this.#ensureShell();
    shell.header.replaceChildren(...this.#header(chat));
    shell.composer.hidden = !chat;
    shell.empty.textContent = chat ? '' : words(this.#view.locale, 'noMessagesHint');
    shell.composer.textContent = chat ? words(this.#view.locale, 'composer', { name: chat.title }) : '';
    if (this.#chatId !== chat?.id) {
      this.#drawn.clear();
      shell.list.replaceChildren();
      this.#chatId = chat?.id ?? null;
    }
    const nodes = (chat?.messages ?? []).map((message) => this.#message(message));
    const wasAtEnd = shell.list.scrollHeight - shell.list.scrollTop - shell.list.clientHeight < 80;
    const grew = nodes.length > shell.list.childElementCount;
    replaceChanged(shell.list, nodes);
    if (wasAtEnd || grew) shell.list.scrollTop = shell.list.scrollHeight;
  }

  #ensureShell() {
    if (this.#shell) return this.#shell;
    this.#shell = {
      header: el('header.window-header'),
      empty: el('p.messages-empty'),
      list: el('div.messages', { 'data-testid': 'messages' }),
      composer: el('div.composer', { 'aria-hidden': 'true' }),
    };
    const { header, empty, list, composer } = this.#shell;
    document.querySelector('#window').append(el('div.window-main', {}, header, empty, list, composer));
    return this.#shell;
  }

  #header(chat) {
    const { locale, state } = this.#view;
    if (!chat) return [el('span.window-title', {}, words(locale, state.chats.length > 0 ? 'noMessages' : 'noChats'))];
    const up = state.connections;
    return [
      avatar(chat.title, chat.kind === 'group' ? 'group' : 'bot'),
      el('span.window-title', {}, chat.title),
      chat.kind === 'group' ? '' : el('span.bot-tag', {}, words(locale, 'bot')),
      el(
        'span.window-status',
        { 'data-testid': 'connections', 'data-count': up, 'data-up': up > 0 },
        up > 0 ? `${words(locale, 'longConnection')} ${up}` : words(locale, 'offline'),
      ),
    ];
  }

  #message(message) {
    const content = this.#clicks.cardOf(message);
    const busy = this.#clicks.busyPath(message.id);
    const looks = JSON.stringify([content, busy, message.recalled, this.#view.locale]);
    const known = this.#drawn.get(message.id);
    if (known?.looks === looks) return known.node;
    const node = this.#drawMessage(message, content, busy);
    this.#drawn.set(message.id, { node, looks });
    return node;
  }

  #drawMessage(message, content, busy) {
    const { locale } = this.#view;
    if (message.recalled) {
      return el('div.recalled', { 'data-testid': `message-${message.id}` }, words(locale, 'recalled'));
    }
    return el(
      'article.message',
      { 'data-testid': `message-${message.id}`, 'data-kind': message.kind },
      avatar(message.sender, message.isBot ? 'bot' : 'person'),
      el(
        'div.message-content',
        {},
        el('div.message-sender', {}, message.sender, el('time', {}, clockTime(message.createdAt, locale))),
        this.#body(message, content, busy),
      ),
    );
  }

  #body(message, content, busy) {
    if (message.kind === 'card') return this.#card(message, content, busy);
    return el('div.bubble', {}, ...(message.kind === 'post' ? this.#post(message) : this.#text(message)));
  }

  #card(message, content, busy) {
    if (!this.#folded.has(message.id)) this.#folded.set(message.id, new Set());
    return drawCard(content, {
      locale: this.#view.locale,
      nameOf: (id) => this.#view.state.people.get(id)?.name ?? null,
      busy,
      folded: this.#folded.get(message.id),
      onPress: (press) => void this.#clicks.press(message, press),
    });
  }

  #post(message) {
    const { locale } = this.#view;
    const { content = [], title = '' } = postOf(message, locale);
    const paragraphs = content.map((elements) =>
      el('div', {}, ...elements.map((element) => postElement(element, locale))),
    );
    return [el('strong.post-title', {}, title), ...paragraphs];
  }

  /** Text messages know one mark, the mention: `<at user_id="ou_…">name</at>`. */
  #text(message) {
    const parts = textOf(message).split(/<at user_id="([^"]+)">[^<]*<\/at>/);
    return parts.map((part, index) => {
      if (index % 2 === 0) return part;
      return el('span.mention', {}, `@${this.#view.state.people.get(part)?.name ?? part}`);
    });
  }
}

function postElement({ href, tag, text }, locale) {
  if (tag !== 'a') return text;
  const link = el('a', { href, rel: 'noreferrer' }, text);
  link.addEventListener('click', (event) => {
    event.preventDefault();
    openUrl({ default_url: href }, locale);
  });
  return link;
}

/** Puts `nodes` into `parent` in order, touching only what differs. */
function replaceChanged(parent, nodes) {
  for (const [index, node] of nodes.entries()) {
    const present = parent.children[index];
    if (present === node) continue;
    if (present && !nodes.includes(present)) present.replaceWith(node);
    else parent.insertBefore(node, present ?? null);
  }
  while (parent.childElementCount > nodes.length) parent.lastElementChild.remove();
}
