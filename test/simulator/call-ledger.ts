/**
 * Every API call the simulator was asked, in order of arrival, with its outcome. Also counts what went over Feishu's
 * limits, whether or not it was refused for that.
 */
import type { ApiName } from './options.js';

/** Which limit a call broke. */
export type OverLimit = 'app_second' | 'app_minute' | 'user' | 'chat' | 'message';

export interface Call {
  api: ApiName;
  appId?: string;
  openId?: string;
  messageId?: string;
  /** For `token`: the grant asked for. */
  grant?: 'device_code' | 'refresh_token' | 'authorization_code' | 'unknown';
  /** For a refresh: the generation of the refresh token presented, and when it was redeemed, epoch milliseconds. */
  generation?: number;
  redeemedAt?: number;
  /** Epoch milliseconds of arrival; `endedAt` is absent while the call hangs. */
  at: number;
  endedAt?: number;
  /** HTTP status; 0: the connection was reset instead of answered. */
  status?: number;
  /** Feishu's code in the body. */
  code?: number;
  /** RFC 6749 error in the body. */
  error?: string;
  /** The fault that shaped the answer. */
  fault?: string;
  logId: string;
  overLimit?: OverLimit;
  /** The caller was gone before it was answered. */
  abandoned?: boolean;
}

export class CallLedger {
  readonly calls: Call[] = [];
  #overLimit = 0;

  add(call: Call): Call {
    this.calls.push(call);
    return call;
  }

  markOverLimit(call: Call | undefined, limit: OverLimit): void {
    this.#overLimit += 1;
    if (call) call.overLimit = limit;
  }

  /** Calls above any of Feishu's limits so far. */
  get overLimit(): number {
    return this.#overLimit;
  }

  of(api: ApiName, appId?: string): Call[] {
    return this.calls.filter((call) => call.api === api && (appId === undefined || call.appId === appId));
  }
}
