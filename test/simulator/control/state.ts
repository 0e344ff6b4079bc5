/**
 * The simulator's state as the chat page and black-box tests read it (snake_case JSON). Views only.
 */
import type { Chat, Chats, Message } from '../chat/chats.js';
import type { Directory } from '../directory.js';
import type { ConnectionInfo } from '../gateway/connection.js';
import type { DeviceCode, DeviceCodes } from '../oauth/device-codes.js';

export interface StateDeps {
  directory: Directory;
  chats: Chats;
  connections: () => ConnectionInfo[];
}

export function stateView(deps: StateDeps): Record<string, unknown> {
  const { directory, chats } = deps;
  const names = (ids: string[]): string[] => ids.filter((id) => directory.users.has(id));
  return {
    apps: [...directory.apps.values()].map((app) => ({ app_id: app.appId, name: app.name })),
    users: [...directory.users.values()].map((user) => ({
      user_id: user.userId,
      name: user.name,
      locale: user.locale,
      open_ids: user.openIds,
    })),
    chats: [...chats.chats.values()].map((chat) => chatView(chat, chats, names(chat.members))),
    connections: deps.connections().map((info) => ({
      connection_id: info.connectionId,
      app_id: info.appId,
      opened_at: info.openedAt,
      pings: info.pings.length,
    })),
  };
}

function chatView(chat: Chat, chats: Chats, members: string[]): Record<string, unknown> {
  const messages = [...chats.messages.values()].filter((message) => message.chatId === chat.chatId);
  return {
    chat_id: chat.chatId,
    kind: chat.kind,
    title: chat.title,
    app_ids: chat.appIds,
    members,
    messages: messages.map(messageState),
  };
}

/** `content` is the parsed card, or the text itself for text messages; null once recalled. */
export function messageState(message: Message): Record<string, unknown> {
  const shown = message.kind === 'text' ? message.content['text'] : message.content;
  return {
    message_id: message.messageId,
    chat_id: message.chatId,
    kind: message.kind,
    content: message.recalled ? null : shown,
    recalled: message.recalled,
    sender: { id: message.appId, id_type: 'app_id' },
    created_at: message.createdAt,
    updated_at: message.updatedAt,
    clicking: message.clicking > 0,
  };
}

/** What the consent page needs; `client` is who asks Feishu: the app. */
export function deviceView(code: DeviceCode, codes: DeviceCodes, directory: Directory): Record<string, unknown> {
  const name = directory.app(code.appId)?.name ?? code.appId;
  return {
    user_code: code.userCode,
    app_id: code.appId,
    app_name: name,
    client: name,
    scopes: code.scopes,
    expires_at: code.expiresAt,
    status: codes.statusOf(code),
    ...(code.user ? { user_id: code.user.userId } : {}),
  };
}
