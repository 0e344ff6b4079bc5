/**
 * Who a user access token belongs to (FEISHU.md §6.4). The device code is bound to nobody, so this answer decides
 * whether the user who was asked is the one who consented.
 */
import type { AppConfig } from '../../config/config.js';
import { TIER_4 } from '../../domain/call-budget.js';
import { type CodeEntry, type CodeTable, REMEDIES } from '../../domain/feishu-codes.js';
import type { FeishuExchange, FeishuReply } from '../../domain/feishu-exchange.js';
import { objectOf, textOf } from '../../domain/json-fields.js';
import { incomplete, judgeReply } from './judge.js';

export interface UserIdentity {
  /** As this app knows the user. */
  readonly openId: string;
  readonly unionId: string | null;
  readonly tenantKey: string | null;
  readonly name: string | null;
}

/**
 * @throws FeishuError `refused` with meaning `token_invalid` or `user_left` is final; everything else says nothing
 *   about the user: keep the tokens and ask again
 */
export type UserInfo = (accessToken: string) => Promise<UserIdentity>;

export interface UserInfoDeps {
  readonly app: AppConfig;
  readonly exchange: FeishuExchange;
  readonly timeoutMs: number;
  readonly maxWaitMs: number;
}

const AGAIN = 'Ask the user to authorize again.';
const invalid = (cause: string): CodeEntry => ({ class: 'token_invalid', cause, remedy: AGAIN, for: 'user' });
const left = (cause: string): CodeEntry => ({
  class: 'user_left',
  cause,
  remedy: "Check the user's account in the admin console (organization > members).",
  for: 'operator',
});

/** The token here is the user's, so the generic "fetch another tenant token" does not apply. */
export const USER_INFO_CODES: CodeTable = {
  20001: { class: 'bug', cause: 'the request is malformed', remedy: REMEDIES.report, for: 'developer' },
  20005: invalid('the user access token is invalid'),
  20008: left('the user does not exist'),
  20021: left('the user has resigned'),
  20022: left('the user is frozen'),
  20023: left('the user is not registered'),
  20050: { class: 'retry', cause: 'an error inside Feishu', remedy: REMEDIES.wait, for: 'operator' },
  99991661: invalid('no user access token was sent'),
  99991663: invalid('the token is invalid or of the wrong kind'),
  99991668: invalid('the user access token is invalid'),
  99991671: invalid('the user access token has an unknown format'),
  99991677: invalid('the user access token has expired'),
};

const CALL = { api: 'authen.user_info', repeatable: true, codes: USER_INFO_CODES } as const;

/** @throws FeishuError as `UserInfo` says */
export function judgeUserInfo(reply: FeishuReply): UserIdentity {
  const data = objectOf(judgeReply(reply, CALL)['data']);
  const openId = textOf(data['open_id']);
  if (openId === null) throw incomplete(reply, CALL, 'open_id');
  return {
    openId,
    unionId: textOf(data['union_id']),
    tenantKey: textOf(data['tenant_key']),
    name: textOf(data['name']),
  };
}

export function createUserInfo({ app, exchange, timeoutMs, maxWaitMs }: UserInfoDeps): UserInfo {
  return async (accessToken) =>
    judgeUserInfo(
      await exchange({
        api: CALL.api,
        appId: app.appId,
        limits: { ...TIER_4, maxWaitMs },
        method: 'GET',
        url: `${app.openBaseUrl}/open-apis/authen/v1/user_info`,
        headers: { authorization: `Bearer ${accessToken}` },
        body: null,
        timeoutMs,
        repeatable: CALL.repeatable,
      }),
    );
}
