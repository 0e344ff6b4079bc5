/**
 * Users Feishu has just refused to deliver a card to. For a minute a new request for one of them is answered at once
 * instead of making a session that fails the same way.
 */
import type { Redis } from 'ioredis';
import { AuthdError } from '../errors.js';
import type { StoreKeys } from './keys.js';

export interface Unreachable {
  note(appId: string, openId: string, refusal: Refusal): Promise<void>;
  find(appId: string, openId: string): Promise<AuthdError | null>;
}

export interface Refusal {
  readonly feishuCode: number | null;
  readonly logId: string | null;
  readonly remedy: string;
}

const SECONDS = 60;
/** FEISHU.md §4.7: the open_id belongs to another app. */
const OTHER_APP = 99992361;

export function createUnreachable(deps: { redis: Redis; keys: StoreKeys }): Unreachable {
  const keyOf = (appId: string, openId: string): string => `${deps.keys.base(appId)}:unreachable:${openId}`;
  return {
    async note(appId, openId, refusal) {
      await deps.redis.set(keyOf(appId, openId), JSON.stringify(refusal), 'EX', SECONDS);
    },
    async find(appId, openId) {
      const value = await deps.redis.get(keyOf(appId, openId));
      if (value === null) return null;
      const refusal = JSON.parse(value) as Refusal;
      const code = refusal.feishuCode === OTHER_APP ? 'open_id_of_other_app' : 'user_unreachable';
      return new AuthdError(code, 'open_id: Feishu has just refused to deliver a card to this user', {
        remedy: refusal.remedy,
        ...(refusal.feishuCode === null ? {} : { feishuCode: refusal.feishuCode }),
        ...(refusal.logId === null ? {} : { logId: refusal.logId }),
      });
    },
  };
}
