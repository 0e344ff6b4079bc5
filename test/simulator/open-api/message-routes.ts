/**
 * What can be done with a message that was sent: PATCH (cards), PUT (not for cards), GET, recall.
 * Source: FEISHU.md §4.3, §4.7.
 */
import type { Call } from '../call-ledger.js';
import { checkCard } from '../card-rules.js';
import type { Message } from '../chat/chats.js';
import type { ApiRoute } from '../http/api.js';
import { type Exchange, jsonBody, ok, type Reply } from '../http/exchange.js';
import { lacksScope, openApiError } from '../http/refusals.js';
import type { ApiName } from '../options.js';
import { messageView } from './message-view.js';
import { type MessageDeps, parseContent } from './send-message.js';
import { isReply } from './tenant-tokens.js';

/** FEISHU.md §4.3: one of them is enough. */
const UPDATE_SCOPES = ['im:message', 'im:message:send_as_bot', 'im:message:update'];

export function messageRoutes(deps: MessageDeps): ApiRoute[] {
  const route = (
    api: ApiName,
    method: string,
    act: (message: Message, exchange: Exchange, call: Call) => Reply,
  ): ApiRoute => ({
    api,
    method,
    path: '/open-apis/im/v1/messages/:message_id',
    subject: (exchange) => {
      const appId = deps.tokens.appOf(exchange);
      const messageId = exchange.params['message_id'];
      return { ...(appId === undefined ? {} : { appId }), ...(messageId === undefined ? {} : { messageId }) };
    },
    handle: (exchange, call) => {
      const message = findMessage(deps, exchange);
      return isReply(message) ? message : act(message, exchange, call);
    },
  });
  return [
    route('message.patch', 'PATCH', (message, exchange, call) => patch(deps, message, exchange, call)),
    route('message.put', 'PUT', () => openApiError(230001, 'Your request contains an invalid request parameter.')),
    route('message.get', 'GET', (message) =>
      ok({ code: 0, msg: 'success', data: { items: [messageView(message, deps.directory.tenantKey)] } }),
    ),
    route('message.delete', 'DELETE', (message) => {
      if (message.recalled) return openApiError(230011, 'The message is recalled.');
      deps.chats.recall(message);
      return ok({ code: 0, msg: 'success', data: {} });
    }),
  ];
}

function findMessage(deps: MessageDeps, exchange: Exchange): Message | Reply {
  const app = deps.tokens.authenticate(exchange);
  if (isReply(app)) return app;
  if (!app.bot) return openApiError(230006, 'Bot ability is not activated.');
  const message = deps.chats.messages.get(exchange.params['message_id'] ?? '');
  if (!message) return openApiError(230001, 'Your request contains an invalid request parameter.');
  if (message.appId !== app.appId) return openApiError(230017, 'The bot is not the owner of the resource.');
  return message;
}

function patch(deps: MessageDeps, message: Message, exchange: Exchange, call: Call): Reply {
  const { limits, now } = deps.settings;
  const app = deps.directory.app(message.appId);
  if (!UPDATE_SCOPES.some((scope) => app?.tenantScopes.has(scope))) return lacksScope(UPDATE_SCOPES);
  if (message.recalled) return openApiError(230011, 'The message is recalled.');
  if (message.kind !== 'card') return openApiError(230001, 'This message is NOT a card.');
  if (message.createdAt + limits.updateWindowMs < now())
    return openApiError(230031, 'The message exceeds the update time limit.');
  const content = parseContent(jsonBody(exchange)?.['content']);
  if (!content) return openApiError(230001, 'Your request contains an invalid request parameter.');
  if (!deps.limits.perSecond(`patch:${message.messageId}`, limits.messagePerSecond, !limits.enforce).admitted) {
    deps.ledger.markOverLimit(call, 'message');
    if (limits.enforce) return openApiError(230020, 'This operation triggers the frequency limit.');
  }
  const refusal = checkCard(content, { kind: 'patch', previous: message.content });
  if (refusal) return openApiError(refusal.code, refusal.message);
  deps.chats.applyRemote(message, content, 'patch');
  return ok({ code: 0, msg: 'success', data: {} });
}
