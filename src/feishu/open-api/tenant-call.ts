/**
 * Calls in the app's own name: adds the tenant token, and when Feishu says that it is dead, fetches one new token and
 * repeats the call once (FEISHU.md §7). A second refusal is left to the judge.
 */
import type { FeishuExchange, FeishuReply, FeishuRequest } from '../../domain/feishu-exchange.js';
import type { TenantToken } from './tenant-token.js';

export type TenantCall = (request: FeishuRequest) => Promise<FeishuReply>;

const DEAD_TOKEN_CODES: ReadonlySet<number> = new Set([99991661, 99991663, 99991664, 99991668]);

export function createTenantCall(exchange: FeishuExchange, tenantToken: TenantToken): TenantCall {
  const callWith = (request: FeishuRequest, token: string): Promise<FeishuReply> =>
    exchange({ ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } });

  return async (request) => {
    const token = await tenantToken.get();
    const reply = await callWith(request, token);
    if (reply.code === null || !DEAD_TOKEN_CODES.has(reply.code)) return reply;
    tenantToken.invalidate(token);
    return callWith(request, await tenantToken.get());
  };
}
