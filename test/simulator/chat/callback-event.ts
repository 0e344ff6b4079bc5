/**
 * Words a click as the `card.action.trigger` envelope, with the odd shapes seen in the wild on demand. Pure.
 * Source: FEISHU.md §3.1 (header, microseconds), §3.3 (event), FAILURES B-temporary-message-id, B-v2-payload-shape.
 */
import type { App } from '../directory.js';
import { hex } from '../secret-book.js';

export interface CallbackShape {
  value?: unknown;
  /** Replaces the whole `action`. */
  action?: Record<string, unknown>;
  /** Replaces the whole `operator`. */
  operator?: Record<string, unknown>;
  eventId?: string;
  /** Epoch milliseconds. */
  createTime?: number;
  /** 'us' (default): 16 digits as Feishu sends for callbacks. */
  createTimeUnit?: 'us' | 'ms';
  /** The old flat shape: ids beside `action` instead of inside `operator` and `context`. */
  flat?: boolean;
  /** `context.open_message_id`; null leaves the whole context out. */
  contextMessageId?: string | null;
  /** Adds an `open_message_id` beside the context, as some builds do ("c-temp-1"). */
  outerMessageId?: string;
  /** Verification token in the header; null leaves it out. */
  verificationToken?: string | null;
}

export interface CallbackFacts {
  app: App;
  tenantKey: string;
  openId: string;
  unionId: string;
  userId: string;
  messageId: string;
  chatId: string;
  callbackToken: string;
  now: number;
}

export function callbackEnvelope(facts: CallbackFacts, shape: CallbackShape): Record<string, unknown> {
  const created = shape.createTime ?? facts.now;
  const token = shape.verificationToken === undefined ? facts.app.verificationToken : shape.verificationToken;
  return {
    schema: '2.0',
    header: {
      event_id: shape.eventId ?? hex(16),
      ...(token === null ? {} : { token }),
      create_time: shape.createTimeUnit === 'ms' ? String(created) : `${created}000`,
      event_type: 'card.action.trigger',
      tenant_key: facts.tenantKey,
      app_id: facts.app.appId,
    },
    event: shape.flat ? flatEvent(facts, shape) : event(facts, shape),
  };
}

function event(facts: CallbackFacts, shape: CallbackShape): Record<string, unknown> {
  const messageId = shape.contextMessageId === undefined ? facts.messageId : shape.contextMessageId;
  return {
    operator: shape.operator ?? {
      tenant_key: facts.tenantKey,
      ...employeeId(facts),
      open_id: facts.openId,
      union_id: facts.unionId,
    },
    token: facts.callbackToken,
    action: action(shape),
    host: 'im_message',
    ...(shape.outerMessageId === undefined ? {} : { open_message_id: shape.outerMessageId }),
    ...(messageId === null ? {} : { context: { open_message_id: messageId, open_chat_id: facts.chatId } }),
  };
}

function flatEvent(facts: CallbackFacts, shape: CallbackShape): Record<string, unknown> {
  return {
    open_id: facts.openId,
    ...employeeId(facts),
    union_id: facts.unionId,
    tenant_key: facts.tenantKey,
    open_message_id: shape.contextMessageId ?? facts.messageId,
    open_chat_id: facts.chatId,
    token: facts.callbackToken,
    ...shape.operator,
    action: action(shape),
  };
}

/** `user_id` comes only to apps that may read it. */
const employeeId = ({ app, userId }: CallbackFacts): { user_id?: string } =>
  app.enabledScopes?.has('contact:user.employee_id:readonly') ? { user_id: userId } : {};

const action = (shape: CallbackShape): Record<string, unknown> =>
  shape.action ?? { ...('value' in shape ? { value: shape.value } : {}), tag: 'button' };
