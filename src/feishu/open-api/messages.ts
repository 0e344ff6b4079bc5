/**
 * Sends and updates messages as the bot (FEISHU.md §4.2, §4.3). Does not repeat and does not order: one update of a
 * message at a time is the caller's part, and so is the `uuid` that makes a repeated send harmless for an hour.
 */
import type { AppConfig } from '../../config/config.js';
import { type CallLimits, NARROW_PER_SECOND, TIER_4 } from '../../domain/call-budget.js';
import { type JsonObject, objectOf, textOf } from '../../domain/json-fields.js';
import { incomplete, judgeReply } from './judge.js';
import { MESSAGE_CODES } from './message-codes.js';
import type { TenantCall } from './tenant-call.js';

export interface Receiver {
  readonly receiveIdType: 'open_id' | 'chat_id';
  readonly receiveId: string;
}

export interface SentMessage {
  readonly messageId: string;
  /** The chat it is in (for an open_id the user's own with the bot); null if Feishu does not say. */
  readonly chatId: string | null;
}

/** All throw FeishuError; after `uncertain` repeat with the same uuid, or with the state of that moment. */
export interface Messages {
  /** @param message.uuid at most 50 characters; the same one within an hour gives one message only */
  sendCard(message: Receiver & { readonly card: JsonObject; readonly uuid: string }): Promise<SentMessage>;
  sendText(message: Receiver & { readonly text: string; readonly uuid: string }): Promise<SentMessage>;
  /** @param message.post rich text in several languages: each client shows its own */
  sendPost(message: Receiver & { readonly post: JsonObject; readonly uuid: string }): Promise<SentMessage>;
  /** Replaces the whole card of a message this app has sent. */
  patchCard(message: { readonly messageId: string; readonly card: JsonObject }): Promise<void>;
}

export interface MessagesDeps {
  readonly app: AppConfig;
  readonly tenantCall: TenantCall;
  readonly timeoutMs: number;
  /** How long a call may wait for its turn in the budget. */
  readonly maxWaitMs: number;
}

// A write that got no answer may have been applied, so it is not repeatable as such (it is with its uuid).
const CREATE = { api: 'im.message.create', repeatable: false, codes: MESSAGE_CODES } as const;
const PATCH = { api: 'im.message.patch', repeatable: false, codes: MESSAGE_CODES } as const;
const HEADERS = { 'content-type': 'application/json; charset=utf-8' };

export function createMessages(deps: MessagesDeps): Messages {
  const { app, tenantCall, timeoutMs, maxWaitMs } = deps;
  const limits = (narrowId: string): CallLimits => ({
    ...TIER_4,
    maxWaitMs,
    also: [{ id: narrowId, perSecond: NARROW_PER_SECOND }],
  });

  return {
    sendCard: ({ card, ...to }) => send(to, 'interactive', card),
    sendText: ({ text, ...to }) => send(to, 'text', { text }),
    sendPost: ({ post, ...to }) => send(to, 'post', post),
    async patchCard({ messageId, card }) {
      const reply = await tenantCall({
        api: PATCH.api,
        appId: app.appId,
        limits: limits(`message:${messageId}`),
        method: 'PATCH',
        url: `${app.openBaseUrl}/open-apis/im/v1/messages/${encodeURIComponent(messageId)}`,
        headers: HEADERS,
        body: JSON.stringify({ content: JSON.stringify(card) }),
        timeoutMs,
        repeatable: PATCH.repeatable,
      });
      judgeReply(reply, PATCH);
    },
  };

  async function send(
    to: Receiver & { readonly uuid: string },
    type: 'interactive' | 'text' | 'post',
    content: JsonObject,
  ): Promise<SentMessage> {
    const reply = await tenantCall({
      api: CREATE.api,
      appId: app.appId,
      limits: limits(`${to.receiveIdType === 'open_id' ? 'user' : 'chat'}:${to.receiveId}`),
      method: 'POST',
      url: `${app.openBaseUrl}/open-apis/im/v1/messages?receive_id_type=${to.receiveIdType}`,
      headers: HEADERS,
      body: JSON.stringify({
        receive_id: to.receiveId,
        msg_type: type,
        content: JSON.stringify(content),
        uuid: to.uuid,
      }),
      timeoutMs,
      repeatable: CREATE.repeatable,
    });
    const data = objectOf(judgeReply(reply, CREATE)['data']);
    const messageId = textOf(data['message_id']);
    if (messageId === null) throw incomplete(reply, CREATE, 'message_id');
    return { messageId, chatId: textOf(data['chat_id']) };
  }
}
