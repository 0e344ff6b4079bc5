/**
 * Codes of calls and connections that no table of the daemon holds: services meet them when they use a token, or the
 * daemon decides by other means (FEISHU.md §2.5, §2.6, §6.3, §6.5, §7, §8). English; data only.
 */
import { REMEDIES } from '../../domain/feishu-codes.js';
import type { Entries, Entry } from './meaning.js';

const operator = (cause: string, remedy: string): Entry => ({ cause, remedy, for: 'operator' });
const developer = (cause: string, remedy: string): Entry => ({ cause, remedy, for: 'developer' });
const user = (cause: string, remedy: string): Entry => ({ cause, remedy, for: 'user' });

const READ_AGAIN =
  'Read the token again (GET /v1/users/{open_id}/token) and repeat the call once; never keep a token beyond its expires_at.';
const ASK_SCOPES =
  'Ask the user (POST /v1/sessions) for the scopes that error.permission_violations of the answer names.';
const NO_ANSWER = 'Nothing to do: it is tried again. Services repeat only calls that may be repeated, after a while.';

/** Met by services that call Feishu with a token they have read here. */
export const USER_TOKEN_CODES: Entries = {
  99991661: developer('no token was sent', 'Send the header Authorization: Bearer <access_token>.'),
  99991663: developer(
    'the token is of the wrong kind for this API, or invalid',
    'Look up in the documentation of the API whether it takes user_access_token.',
  ),
  99991668: developer(
    'the user token is invalid, or the API takes no user tokens',
    'Refresh it (POST /v1/users/{open_id}/token/refresh with if_expires_at), read it again and repeat the call once. If it goes on and the message says "user access token not support", the API takes tenant tokens only.',
  ),
  99991669: user('the refresh token is illegal', 'Ask the user to authorize again.'),
  99991671: developer('the token has an unknown format', 'Send the token exactly as it was read.'),
  99991676: developer('the token has no permission for this call', ASK_SCOPES),
  99991677: developer('the user token has expired', READ_AGAIN),
  99991679: developer('the user has not granted the scope', ASK_SCOPES),
};

/** HTTP statuses of Feishu's gateway that come without a code. */
export const HTTP_CODES: Entries = {
  429: operator(
    'rate limit',
    'Wait as long as x-ogw-ratelimit-reset says. The daemon does so by itself; do other programs use the same app?',
  ),
  502: operator('the gateway of Feishu has no answer', NO_ANSWER),
  503: operator('the gateway of Feishu is overloaded', NO_ANSWER),
  504: operator('the gateway of Feishu waited in vain', NO_ANSWER),
};

/** While the daemon waits for consent; decided on `error`, these numbers were only seen beside it. */
export const DEVICE_POLL_CODES: Entries = {
  20094: user('no consent yet (authorization_pending)', 'Nothing to do: the daemon goes on asking.'),
  20095: user('asked too often (slow_down)', 'Nothing to do: the daemon asks less often.'),
  authorization_pending: user('no consent yet', 'Nothing to do: the daemon goes on asking.'),
  slow_down: user('asked too often', 'Nothing to do: the daemon asks less often.'),
  access_denied: user("the user declined on Feishu's page", 'Ask again only if the user wants it.'),
  expired_token: user('the link has expired without consent', 'Ask for a new link.'),
};

export const REVOCATION_CODES: Entries = {
  invalid_token: operator('the token was not valid any more', 'Nothing to do: our copy is forgotten anyway.'),
};

const SDK_ASSERTION = developer(
  "the SDK's client assertion failed before anything was sent",
  'feishu-authd uses the app secret, not client assertions: look at the program that does.',
);

/** Local codes of @larksuiteoapi/node-sdk. */
export const SDK_CODES: Entries = {
  7100: SDK_ASSERTION,
  7101: SDK_ASSERTION,
  7102: SDK_ASSERTION,
  7103: SDK_ASSERTION,
  7104: developer(
    'the SDK was given neither an app secret nor a client assertion provider',
    'Give the program its app secret.',
  ),
};

/** What an event or click frame was answered with. */
export const ACK_CODES: Entries = {
  200: operator('the event or click was taken', 'Nothing to do.'),
  500: developer(
    'the handler failed: Feishu sends an event again, and the user who clicked sees 200671',
    REMEDIES.report,
  ),
};

const RECONNECTED = 'Nothing to do: a new connection is made.';

/** Close codes of WebSockets (RFC 6455 §7.4.1), as `close code` in the lines about the long connection. */
export const WEBSOCKET_CODES: Entries = {
  1000: operator('closed as intended', RECONNECTED),
  1001: operator('the gateway goes away, as at a restart', RECONNECTED),
  1005: operator('closed without a code', RECONNECTED),
  1006: operator('the connection broke without a farewell', `${RECONNECTED} If it happens often, look at the network.`),
};

const APAAS_PERMISSION =
  'Have the administrator of the aPaaS application authorize this app, and ask the user for the scope the API wants.';

/** 飞书应用引擎, called by services with the user's token. */
export const APAAS_CODES: Entries = {
  2320001: developer('a parameter is invalid', 'Compare the request with the documentation of the API.'),
  2320002: operator('an error inside the aPaaS service', 'Repeat the call after a while.'),
  2320003: developer('what was asked for does not exist', 'Check the ids in the path.'),
  2320004: developer('what was asked for does not exist', 'Check the ids in the path.'),
  2320005: operator('no permission', APAAS_PERMISSION),
  2320006: developer('the request is refused', 'Compare the request with the documentation of the API.'),
};
