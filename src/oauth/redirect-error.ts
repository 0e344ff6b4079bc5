/**
 * What an `error` at the redirect URI means (RFC 6749 §4.1.2.1; FEISHU.md §6.1). `access_denied` is an outcome, no error.
 * It comes without code and log id, and nothing is tried again but by the user: words of the token endpoint about its
 * own answers do not hold here. Those about the app's settings do.
 */
import type { FailureDetail } from '../domain/session.js';
import { ERROR_NAMES } from './token-codes.js';

/** The page tells the user in her languages; this is for the log. */
const ONCE_MORE: FailureDetail = {
  remedy: 'The user has to open the link on the card once more, in a few minutes: the error is inside Feishu.',
  for: 'user',
};
const OUR_REQUEST: FailureDetail = {
  remedy:
    'Feishu finds the request for its page wrong. Check OAUTH_REDIRECT_URI; if it is right, report the line redirect.refused to the developers of feishu-authd.',
  for: 'developer',
};
const UNKNOWN: FailureDetail = {
  remedy:
    "Feishu's page reported an error that feishu-authd does not know. Open the link on the card again; if it goes on, look for the app's settings in the developer console.",
  for: 'operator',
};

const OWN: Readonly<Record<string, FailureDetail>> = {
  invalid_request: OUR_REQUEST,
  unsupported_response_type: OUR_REQUEST,
  server_error: ONCE_MORE,
  temporarily_unavailable: ONCE_MORE,
};

/** Takes no text of the address over: anybody may have written it. */
export function explainRedirectError(error: string): FailureDetail {
  if (Object.hasOwn(OWN, error)) return OWN[error] ?? UNKNOWN;
  const entry = Object.hasOwn(ERROR_NAMES, error) ? ERROR_NAMES[error] : undefined;
  return entry?.class === 'operator' ? { remedy: entry.remedy, for: entry.for } : UNKNOWN;
}
