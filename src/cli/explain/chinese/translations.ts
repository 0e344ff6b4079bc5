/** The Chinese tables by place. A test holds each of them to the codes of its English source. */
import type { Place, Translations } from '../meaning.js';
import { ACK_ZH, ANY_API_ZH, APAAS_ZH, HTTP_ZH, LONG_CONNECTION_ZH, SDK_ZH, WEBSOCKET_ZH } from './calls.js';
import { LOG_ZH } from './log-events.js';
import { CALLBACK_UPDATE_ZH, CARD_ZH, CARDKIT_ZH, CLIENT_ZH, EPHEMERAL_ZH, MESSAGES_ZH } from './messages.js';
import { DEVICE_POLL_ZH, REVOCATION_ZH, TOKEN_ENDPOINT_ZH, USER_INFO_ZH, USER_TOKEN_ZH } from './oauth.js';
import { FAILURE_REASON_ZH, OWN_API_ZH, START_ZH } from './own.js';

export const TRANSLATIONS: Readonly<Record<Place, Translations>> = {
  api: OWN_API_ZH,
  failure_reason: FAILURE_REASON_ZH,
  start: START_ZH,
  token_endpoint: TOKEN_ENDPOINT_ZH,
  device_poll: DEVICE_POLL_ZH,
  revocation: REVOCATION_ZH,
  user_info: USER_INFO_ZH,
  user_token: USER_TOKEN_ZH,
  any_api: ANY_API_ZH,
  http: HTTP_ZH,
  messages: MESSAGES_ZH,
  card: CARD_ZH,
  client: CLIENT_ZH,
  callback_update: CALLBACK_UPDATE_ZH,
  ephemeral: EPHEMERAL_ZH,
  cardkit: CARDKIT_ZH,
  long_connection: LONG_CONNECTION_ZH,
  ack: ACK_ZH,
  websocket: WEBSOCKET_ZH,
  sdk: SDK_ZH,
  apaas: APAAS_ZH,
  log: LOG_ZH,
};
