/**
 * A message as the open platform words it. Source: FEISHU.md §4.2.
 */
import type { Message } from '../chat/chats.js';

export function messageView(message: Message, tenantKey: string): Record<string, unknown> {
  return {
    message_id: message.messageId,
    msg_type: message.msgType,
    create_time: String(message.createdAt),
    update_time: String(message.updatedAt),
    deleted: message.recalled,
    updated: message.history.length > 1,
    chat_id: message.chatId,
    sender: { id: message.appId, id_type: 'app_id', sender_type: 'app', tenant_key: tenantKey },
    body: { content: JSON.stringify(message.content) },
  };
}
