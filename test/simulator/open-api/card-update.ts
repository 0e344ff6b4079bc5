/**
 * POST interactive/v1/card/update: the delayed update by a callback's token. Source: FEISHU.md §4.4.
 */
import { checkCard } from '../card-rules.js';
import type { CallbackToken, CallbackTokens } from '../chat/callback-tokens.js';
import type { Message } from '../chat/chats.js';
import type { ApiRoute } from '../http/api.js';
import { asObject, jsonBody, ok, type Reply, text } from '../http/exchange.js';
import { openApiError } from '../http/refusals.js';
import type { MessageDeps } from './send-message.js';
import { isReply } from './tenant-tokens.js';

const MAX_CARD_BYTES = 100 * 1024;

export function cardUpdateRoute(deps: MessageDeps & { callbackTokens: CallbackTokens }): ApiRoute {
  return {
    api: 'card.update',
    method: 'POST',
    path: '/open-apis/interactive/v1/card/update',
    subject: (exchange) => {
      const appId = deps.tokens.appOf(exchange);
      const messageId = deps.callbackTokens.find(text(jsonBody(exchange), 'token') ?? '')?.messageId;
      return { ...(appId === undefined ? {} : { appId }), ...(messageId === undefined ? {} : { messageId }) };
    },
    handle: (exchange) => {
      const app = deps.tokens.authenticate(exchange);
      if (isReply(app)) return app;
      const body = jsonBody(exchange);
      if (!body) return openApiError(100030, 'body is not valid JSON');
      const token = deps.callbackTokens.find(text(body, 'token') ?? '');
      if (!token) return openApiError(300020, 'token is invalid');
      const message = usableMessage(deps, token, app.appId);
      if (isReply(message)) return message;
      const card = asObject(body['card']);
      if (!card) return openApiError(10002, 'card is not valid');
      if (Buffer.byteLength(JSON.stringify(card)) > MAX_CARD_BYTES) return openApiError(100000, 'card is too large');
      const refusal = checkCard(card, { kind: 'patch', previous: message.content });
      if (refusal) return openApiError(11311, refusal.message);
      token.uses += 1;
      deps.chats.applyRemote(message, card, 'update');
      return ok({ code: 0, msg: 'success' });
    },
  };
}

function usableMessage(deps: MessageDeps, token: CallbackToken, appId: string): Message | Reply {
  const message = deps.chats.messages.get(token.messageId);
  const isOwn = token.appId === appId && message?.appId === appId;
  if (!isOwn) return openApiError(200310, 'card was sent by another app');
  if (token.expiresAt <= deps.settings.now()) return openApiError(300030, 'token is expired');
  if (token.uses >= deps.settings.limits.callbackTokenUses) return openApiError(300040, 'token is used up');
  return message.recalled ? openApiError(200000, 'message is recalled') : message;
}
