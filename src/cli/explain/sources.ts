/** Every table of codes there is, by the place where its codes are met. English, from wherever the daemon keeps it. */
import { type CodeEntry, GENERIC_CODES } from '../../domain/feishu-codes.js';
import { FAILURE_TABLE, type FailureReason, REASON_OF_CODE } from '../../feishu/long-connection/failures.js';
import { CARD_SUB_CODES, MESSAGE_CODES } from '../../feishu/open-api/message-codes.js';
import { USER_INFO_CODES } from '../../feishu/open-api/user-info.js';
import { ERROR_NAMES, TOKEN_CODES } from '../../oauth/token-codes.js';
import {
  ACK_CODES,
  APAAS_CODES,
  DEVICE_POLL_CODES,
  HTTP_CODES,
  REVOCATION_CODES,
  SDK_CODES,
  USER_TOKEN_CODES,
  WEBSOCKET_CODES,
} from './call-codes.js';
import { CALLBACK_UPDATE_CODES, CARDKIT_CODES, CLIENT_CODES, EPHEMERAL_CODES } from './card-codes.js';
import { LOG_EVENTS } from './log-events.js';
import type { Entries, Entry, Place } from './meaning.js';
import { FAILURE_REASON_CODES, OWN_API_CODES, START_CODES } from './own-codes.js';

export const SOURCES: Readonly<Record<Place, Entries>> = {
  api: OWN_API_CODES,
  failure_reason: FAILURE_REASON_CODES,
  start: START_CODES,
  token_endpoint: { ...TOKEN_CODES, ...ERROR_NAMES },
  device_poll: DEVICE_POLL_CODES,
  revocation: REVOCATION_CODES,
  user_info: USER_INFO_CODES,
  user_token: USER_TOKEN_CODES,
  any_api: GENERIC_CODES,
  http: HTTP_CODES,
  messages: MESSAGE_CODES,
  card: cardSubCodes(MESSAGE_CODES[230099]),
  client: CLIENT_CODES,
  callback_update: CALLBACK_UPDATE_CODES,
  ephemeral: EPHEMERAL_CODES,
  cardkit: CARDKIT_CODES,
  long_connection: longConnectionCodes(),
  ack: ACK_CODES,
  websocket: WEBSOCKET_CODES,
  sdk: SDK_CODES,
  apaas: APAAS_CODES,
  log: LOG_EVENTS,
};

/** Each is a reason why 230099 was answered, so that what helps against that helps. */
function cardSubCodes(refusedCard: CodeEntry | undefined): Entries {
  if (refusedCard === undefined) return {};
  const { remedy, for: who } = refusedCard;
  const rows = Object.entries(CARD_SUB_CODES).map(([code, cause]): [string, Entry] => [
    code,
    { cause, remedy, for: who },
  ]);
  return Object.fromEntries(rows);
}

/** By Feishu's numbers, and by the `reason` of the lines about the long connection. */
function longConnectionCodes(): Entries {
  const byReason = Object.entries(FAILURE_TABLE).map(([reason, { sentence, remedy }]): [string, Entry] => [
    reason,
    { cause: sentence, remedy, for: 'operator' },
  ]);
  const entries = new Map(byReason);
  const byCode = [...REASON_OF_CODE].flatMap(([code, reason]: readonly [number, FailureReason]) => {
    const entry = entries.get(reason);
    return entry === undefined ? [] : [[String(code), entry] as const];
  });
  return Object.fromEntries([...byReason, ...byCode]);
}
