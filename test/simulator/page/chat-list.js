/** The list of chats: one's own, and below those of others, which only a simulator can show. */
import { avatar, el } from './dom.js';
import { previewOf } from './model.js';
import { words } from './texts.js';

export function drawChatList({ view, onChat }) {
  const own = view.state.chats.filter((chat) => chat.memberIds.includes(view.userId));
  const others = view.state.chats.filter((chat) => !own.includes(chat));
  const list = (chats) => chats.map((chat) => drawItem(chat, view, onChat));
  return [
    el('header.chats-header', {}, el('h1', {}, words(view.locale, 'messages'))),
    el('div.simulated', {}, words(view.locale, 'simulated')),
    ...(own.length > 0 ? list(own) : [el('p.chats-empty', {}, words(view.locale, 'noChats'))]),
    others.length > 0 ? el('h2.chats-divider', {}, words(view.locale, 'otherChats')) : '',
    ...list(others),
  ];
}

function drawItem(chat, view, onChat) {
  const last = chat.messages.at(-1);
  // In one's own chat with a bot the list shows the bot; a chat of others shows whose it is.
  const isOwn = chat.memberIds.includes(view.userId);
  const owner = isOwn || chat.kind === 'group' ? '' : view.state.people.get(chat.memberIds[0])?.name;
  return el(
    'button.chat-item',
    {
      type: 'button',
      'data-testid': `chat-${chat.id}`,
      'aria-current': String(chat.id === view.chatId),
      onclick: () => onChat(chat.id),
    },
    avatar(chat.title, chat.kind === 'group' ? 'group' : 'bot'),
    el(
      'span.chat-item-texts',
      {},
      el(
        'span.chat-item-top',
        {},
        el('span.chat-item-title', {}, owner ? `${owner} · ${chat.title}` : chat.title),
        chat.kind === 'group' || owner ? '' : el('span.bot-tag', {}, words(view.locale, 'bot')),
        el('time', {}, last ? clockTime(last.createdAt, view.locale) : ''),
        isUnread(chat, view) ? el('span.unread', { 'data-testid': 'unread' }) : '',
      ),
      el('span.chat-item-preview', {}, previewOf(last, view.locale, words(view.locale, 'card'))),
    ),
  );
}

/** Something arrived in a chat of one's own while another one was open. */
const isUnread = (chat, view) =>
  chat.memberIds.includes(view.userId) && chat.messages.length > (view.seen.get(chat.id) ?? 0);

/** Hours and minutes as the client shows them. */
export const clockTime = (at, locale) =>
  new Date(at).toLocaleTimeString(locale === 'zh_cn' ? 'zh-CN' : 'en-US', {
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
  });
