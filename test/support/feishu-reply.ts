/** Replies for the judges, as the exchange would have read them. */
import type { FeishuReply } from '../../src/domain/feishu-exchange.js';
import { numberOf, objectOf } from '../../src/domain/json-fields.js';

export function feishuReply(status: number, body: unknown, more: Partial<FeishuReply> = {}): FeishuReply {
  return {
    status,
    body,
    code: numberOf(objectOf(body)['code']),
    logId: 'LOG1',
    rateLimited: status === 429,
    retryAfterMs: null,
    ...more,
  };
}
