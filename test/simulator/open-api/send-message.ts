/**
 * POST im/v1/messages: who may be written to, the `uuid` window, the card check and the per-user and per-chat limits.
 * Source: FEISHU.md §4.2, §4.7.
 */
import type { Call, CallLedger } from '../call-ledger.js';
import { checkCard } from '../card-rules.js';
import type { Chats, Message } from '../chat/chats.js';
import type { App, Directory, User } from '../directory.js';
import type { ApiRoute } from '../http/api.js';
import { asObject, type Exchange, jsonBody, ok, type Reply, text } from '../http/exchange.js';
import { lacksScope, openApiError } from '../http/refusals.js';
import type { Settings } from '../options.js';
import type { RateLimits } from '../rate-limits.js';
import { messageView } from './message-view.js';
import { refusalOfPost } from './post-content.js';
import { isReply, type TenantTokens } from './tenant-tokens.js';

export interface MessageDeps {
  settings: Settings;
  directory: Directory;
  chats: Chats;
  tokens: TenantTokens;
  limits: RateLimits;
  ledger: CallLedger;
}

/** FEISHU.md §4.2: one of them is enough. */
const SEND_SCOPES = ['im:message', 'im:message:send_as_bot', 'im:message:send'];
const MAX_TEXT_BYTES = 150 * 1024;
const KINDS: Readonly<Record<string, Message['kind']>> = { interactive: 'card', text: 'text', post: 'post' };

interface Target {
  chatId: string;
  user?: User;
}

export function sendMessageRoute(deps: MessageDeps): ApiRoute {
  return {
    api: 'message.send',
    method: 'POST',
    path: '/open-apis/im/v1/messages',
    subject: (exchange) => {
      const appId = deps.tokens.appOf(exchange);
      const openId = text(jsonBody(exchange), 'receive_id');
      return { ...(appId === undefined ? {} : { appId }), ...(openId === undefined ? {} : { openId }) };
    },
    handle: (exchange, call) => {
      const app = deps.tokens.authenticate(exchange);
      return isReply(app) ? app : send(deps, app, exchange, call);
    },
  };
}

function send(deps: MessageDeps, app: App, exchange: Exchange, call: Call): Reply {
  const body = jsonBody(exchange);
  if (!SEND_SCOPES.some((scope) => app.tenantScopes.has(scope))) return lacksScope(SEND_SCOPES);
  if (!app.bot) return openApiError(230006, 'Bot ability is not activated.');
  const [receiveId, msgType, uuid] = [text(body, 'receive_id'), text(body, 'msg_type'), text(body, 'uuid')];
  if (receiveId === undefined || msgType === undefined) return openApiError(99992402, 'field validation failed');
  if (uuid !== undefined && uuid.length > 50) return openApiError(99992402, 'field validation failed');
  const content = parseContent(body?.['content']);
  if (!content) return openApiError(230001, 'Your request contains an invalid request parameter.');
  const target = findTarget(deps, app, exchange.query.get('receive_id_type') ?? '', receiveId);
  if (isReply(target)) return target;
  const repeated = uuid === undefined ? undefined : findRepeat(deps, app, target, uuid);
  if (repeated) {
    call.messageId = repeated.messageId;
    return sent(repeated, deps);
  }
  const refusal = checkContent(msgType, content, exchange.body.length) ?? overLimit(deps, app, target, call);
  if (refusal) return refusal;
  const message = deps.chats.addMessage({
    chatId: target.chatId,
    appId: app.appId,
    kind: KINDS[msgType] ?? 'text',
    msgType,
    content,
    ...(uuid === undefined ? {} : { uuid }),
    ...(target.user ? { userId: target.user.userId } : {}),
  });
  call.messageId = message.messageId;
  return sent(message, deps);
}

/** `content` must be a STRING that holds a JSON object. */
export function parseContent(content: unknown): Record<string, unknown> | undefined {
  if (typeof content !== 'string') return undefined;
  try {
    return asObject(JSON.parse(content));
  } catch {
    return undefined;
  }
}

function findTarget(deps: MessageDeps, app: App, idType: string, receiveId: string): Target | Reply {
  if (idType === 'chat_id') {
    const chat = deps.chats.chats.get(receiveId);
    if (!chat) return openApiError(230034, 'The receive_id is invalid.');
    if (!chat.appIds.includes(app.appId)) return openApiError(230002, 'The bot can not be outside the group.');
    return { chatId: chat.chatId };
  }
  const user = idType === 'open_id' ? deps.directory.placeOf(app.appId, receiveId) : findBy(deps, idType, receiveId);
  if (user === undefined) return openApiError(99992402, 'field validation failed: receive_id_type');
  if (user === 'other_app') return openApiError(99992361, 'open_id cross app');
  if (user === 'unknown') return openApiError(99992351, 'not a valid open_id');
  if (user.state === 'resigned') return openApiError(230029, 'User has resigned.');
  if (!deps.directory.isAvailable(app, user)) return openApiError(230013, 'Bot has NO availability to this user.');
  return { chatId: deps.chats.p2p(app.appId, user.userId, app.name).chatId, user };
}

function findBy(deps: MessageDeps, idType: string, receiveId: string): User | 'unknown' | undefined {
  const users = [...deps.directory.users.values()];
  if (idType === 'union_id') return users.find((user) => user.unionId === receiveId) ?? 'unknown';
  if (idType === 'user_id') return deps.directory.users.get(receiveId) ?? 'unknown';
  return idType === 'email' ? 'unknown' : undefined;
}

function findRepeat(deps: MessageDeps, app: App, target: Target, uuid: string): Message | undefined {
  const since = deps.settings.now() - deps.settings.limits.uuidWindowMs;
  for (const message of deps.chats.messages.values()) {
    if (message.uuid !== uuid || message.appId !== app.appId || message.chatId !== target.chatId) continue;
    if (message.createdAt >= since) return message;
  }
  return undefined;
}

function checkContent(msgType: string, content: Record<string, unknown>, requestBytes: number): Reply | undefined {
  if (msgType === 'interactive') {
    const refusal = checkCard(content, { kind: 'send' });
    return refusal ? openApiError(refusal.code, refusal.message) : undefined;
  }
  if (msgType === 'post') return refusalOfPost(content, requestBytes);
  if (msgType !== 'text') return openApiError(230054, 'This message type is not supported here.');
  if (typeof content['text'] !== 'string')
    return openApiError(230001, 'Your request contains an invalid request parameter.');
  if (Buffer.byteLength(content['text']) > MAX_TEXT_BYTES)
    return openApiError(230025, 'The length of the message content reaches its limit.');
  return undefined;
}

function overLimit(deps: MessageDeps, app: App, target: Target, call: Call): Reply | undefined {
  const { limits } = deps.settings;
  const [kind, key, ceiling] = target.user
    ? (['user', `send:${app.appId}:${target.user.userId}`, limits.userPerSecond] as const)
    : (['chat', `send:${target.chatId}`, limits.chatPerSecond] as const);
  if (deps.limits.perSecond(key, ceiling, !limits.enforce).admitted) return undefined;
  deps.ledger.markOverLimit(call, kind);
  return limits.enforce ? openApiError(230020, 'This operation triggers the frequency limit.') : undefined;
}

function sent(message: Message, deps: MessageDeps): Reply {
  return ok({ code: 0, msg: 'success', data: messageView(message, deps.directory.tenantKey) });
}
