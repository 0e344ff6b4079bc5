/** What an `error` at the redirect URI means (RFC 6749 §4.1.2.1; FEISHU.md §6.1). `access_denied` is an outcome, no error. */
import type { FailureDetail } from '../domain/session.js';
import { ERROR_NAMES } from './token-codes.js';

const UNKNOWN: FailureDetail = {
  remedy:
    "Feishu's page reported an error that feishu-authd does not know. Open the link on the card again; if it goes on, look for the app's settings in the developer console.",
  for: 'operator',
};

/** Takes no text of the address over: anybody may have written it. */
export function explainRedirectError(error: string): FailureDetail {
  const entry = Object.hasOwn(ERROR_NAMES, error) ? ERROR_NAMES[error] : undefined;
  return entry === undefined ? UNKNOWN : { remedy: entry.remedy, for: entry.for };
}
