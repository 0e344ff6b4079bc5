/**
 * The simulator's state as the pages need it, read from `GET /sim/state`. The one place that knows the wire's shapes.
 */
import { summarize } from './card.js';

/** @param {object} raw the answer of /sim/state */
export function readState(raw) {
  const apps = raw.apps ?? [];
  const users = (raw.users ?? []).map((user) => ({ ...user, openIds: user.open_ids ?? {} }));
  const people = new Map();
  for (const user of users) {
    people.set(user.user_id, user);
    for (const openId of Object.values(user.openIds)) people.set(openId, user);
  }
  const names = {
    person: (id) => people.get(id)?.name ?? null,
    app: (id) => apps.find((app) => app.app_id === id)?.name ?? null,
  };
  return {
    apps,
    users,
    people,
    connections: countConnections(raw.connections),
    chats: (raw.chats ?? []).map((chat) => readChat(chat, { names, people })).sort((a, b) => b.at - a.at),
  };
}

function readChat(chat, { names, people }) {
  const messages = (chat.messages ?? []).map((message) => readMessage(message, names));
  return {
    id: chat.chat_id,
    kind: chat.kind,
    title: chat.title || chat.chat_id,
    memberIds: (chat.members ?? []).map((id) => people.get(id)?.user_id ?? id),
    messages,
    at: Math.max(0, ...messages.map((message) => message.createdAt)),
  };
}

function readMessage(message, names) {
  const content = parse(message.content);
  const senderId = typeof message.sender === 'object' ? message.sender?.id : message.sender;
  const appName = names.app(senderId);
  return {
    id: message.message_id,
    kind: message.kind,
    content,
    recalled: message.recalled === true || message.deleted === true,
    sender: appName ?? names.person(senderId) ?? senderId ?? '',
    isBot: appName !== null || message.kind === 'card',
    createdAt: Number(message.created_at ?? 0),
    updatedAt: Number(message.updated_at ?? 0),
  };
}

/** One line of a message for the list of chats. */
export function previewOf(message, locale, fallback) {
  if (!message) return '';
  if (message.kind === 'text') return textOf(message);
  if (message.kind === 'post') return postOf(message, locale).title || fallback;
  return summarize(message.content, locale) || fallback;
}

export const textOf = (message) =>
  typeof message.content === 'string' ? message.content : String(message.content?.text ?? '');

/** A post has a text for each language; a client whose language is missing shows the first. */
export const postOf = (message, locale) => message.content?.[locale] ?? Object.values(message.content ?? {})[0] ?? {};

function parse(content) {
  if (typeof content !== 'string') return content ?? {};
  try {
    return JSON.parse(content);
  } catch {
    return content;
  }
}

const countConnections = (connections) => (Array.isArray(connections) ? connections.length : Number(connections ?? 0));
