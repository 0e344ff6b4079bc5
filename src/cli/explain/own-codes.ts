/**
 * Our own codes: of the API and of a start that is refused (titles are those of errors.ts), and the reasons of failed
 * sessions. English; data only.
 */

import { REMEDIES } from '../../domain/feishu-codes.js';
import type { FailureReason } from '../../domain/session.js';
import { ERROR_TABLE, type ErrorCode } from '../../errors.js';
import type { ApiCode } from '../../http/problem.js';
import type { Entries, Entry } from './meaning.js';

type Advice = readonly [who: Entry['for'], remedy: string];

const ASK_AGAIN = 'Ask the user: POST /v1/sessions, or feishu-authd send.';
const LOG = "Look at the daemon's log for the line of that moment.";

const API_ADVICE: Readonly<Record<ApiCode, Advice>> = {
  invalid_request: ['developer', 'Correct what `detail` and `errors` name; /openapi.json describes every call.'],
  unauthorized: [
    'developer',
    'Send Authorization: Bearer <secret>: the secret alone, without the name it has in API_KEYS.',
  ],
  forbidden: [
    'operator',
    'Compare the call with the apps, scopes and actions of this client under `clients` in CONFIG_FILE.',
  ],
  app_id_required: ['developer', 'Name one of `app_ids` in app_id.'],
  app_not_found: ['developer', 'Name an app that is configured (FEISHU_APP_ID, or `apps` in CONFIG_FILE).'],
  session_not_found: [
    'developer',
    'Check the id. A client sees its own sessions only, and ended ones are deleted after AUTH_SESSION_RETENTION_DAYS.',
  ],
  token_not_found: ['developer', ASK_AGAIN],
  insufficient_scope: ['developer', `Ask the user for the scopes in missing_scopes. ${ASK_AGAIN}`],
  reauthorization_required: ['developer', ASK_AGAIN],
  open_id_of_other_app: ['developer', REMEDIES.otherApp],
  user_unreachable: [
    'operator',
    'Look at `remedy` and feishu_code: mostly the user is outside the availability (可用范围) of the app, or has stopped the bot.',
  ],
  idempotency_conflict: ['developer', 'Use a new Idempotency-Key for another request.'],
  token_refresh_failed: ['operator', 'Look up feishu_code with feishu-authd explain. The grant is kept.'],
  upstream_unavailable: ['developer', 'Repeat the call after Retry-After. The grant is safe: do not ask the user.'],
  rate_limited: ['developer', 'Repeat the call after Retry-After.'],
  payload_too_large: ['developer', 'Send less: a body has at most 64 KiB.'],
  internal_error: ['operator', `${LOG} ${REMEDIES.report}`],
};

type StartCode = Exclude<ErrorCode, ApiCode>;

const START_ADVICE: Readonly<Record<StartCode, Advice>> = {
  config_invalid: ['operator', 'Correct every setting the start names; feishu-authd config print shows the rest.'],
  cards_invalid: ['operator', 'Correct the file in cards/ that the start names; cards/README.md holds the rules.'],
  key_mismatch: [
    'operator',
    'Put the key with the id named back into TOKEN_ENCRYPTION_KEYS. Nothing was changed. Without that key the tokens it sealed are lost.',
  ],
  redis_unsuitable: [
    'operator',
    'Set maxmemory-policy noeviction (REDIS_ALLOW_EVICTION=true overrides) and appendonly yes in Redis.',
  ],
  record_damaged: ['operator', 'The record is kept under another name; whoever it belongs to is asked again.'],
};

function entriesOf(advice: Readonly<Partial<Record<ErrorCode, Advice>>>): Entries {
  const rows = Object.entries(advice) as [ErrorCode, Advice][];
  return Object.fromEntries(
    rows.map(([code, [who, remedy]]) => [code, { cause: ERROR_TABLE[code].title, remedy, for: who }]),
  );
}

export const OWN_API_CODES: Entries = entriesOf(API_ADVICE);
export const START_CODES: Entries = entriesOf(START_ADVICE);

export const FAILURE_REASON_CODES: Readonly<Record<FailureReason, Entry>> = {
  identity_mismatch: {
    cause: 'another account consented, three times: its tokens were thrown away',
    remedy: 'Let the user switch to the account that was asked, then ask again.',
    for: 'user',
  },
  insufficient_scope: {
    cause: 'the user consented, but not to every scope; what was given is kept',
    remedy: 'Ask again for the scopes in missing_scopes; is every one of them enabled for the app?',
    for: 'user',
  },
  app_misconfigured: {
    cause: 'the app or its settings at Feishu are not as they must be',
    remedy: 'Do what failure_detail.remedy says, then ask again.',
    for: 'operator',
  },
  code_expired: {
    cause: 'the authorization code was not used in time',
    remedy:
      'Ask again. The daemon uses a code at once: if it happens often, its workers or the way to Feishu stood still for minutes.',
    for: 'user',
  },
  user_unreachable: {
    cause: 'Feishu cannot deliver the card to this user',
    remedy:
      'Do what failure_detail.remedy says: mostly availability (可用范围), a stopped bot, or a user who has left.',
    for: 'operator',
  },
  upstream_error: {
    cause: 'Feishu gave a final answer that nobody here can mend',
    remedy: 'Look up failure_detail.feishu_code with feishu-authd explain.',
    for: 'user',
  },
  internal_error: {
    cause: 'something went wrong inside feishu-authd',
    remedy: `${LOG} ${REMEDIES.report}`,
    for: 'developer',
  },
};
