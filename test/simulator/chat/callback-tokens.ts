/**
 * The update tokens (`c-…`) that come with every card callback: limited life, limited uses. Source: FEISHU.md §4.4.
 */
import { randomText, type SecretBook } from '../secret-book.js';

export interface CallbackToken {
  token: string;
  appId: string;
  messageId: string;
  expiresAt: number;
  uses: number;
}

export class CallbackTokens {
  readonly #tokens = new Map<string, CallbackToken>();
  readonly #secrets: SecretBook;

  constructor(deps: { secrets: SecretBook }) {
    this.#secrets = deps.secrets;
  }

  issue(appId: string, messageId: string, expiresAt: number): string {
    const token = this.#secrets.keep('callback_token', `c-${randomText(40)}`);
    this.#tokens.set(token, { token, appId, messageId, expiresAt, uses: 0 });
    return token;
  }

  find(token: string): CallbackToken | undefined {
    return this.#tokens.get(token);
  }

  /** Every token that was used, for tests that count uses. */
  used(): CallbackToken[] {
    return [...this.#tokens.values()].filter((token) => token.uses > 0);
  }
}
