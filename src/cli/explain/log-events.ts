/** What lines of the log that warn or complain mean, by `event`, and what to do. English; data only. */
import { REMEDIES } from '../../domain/feishu-codes.js';
import type { Entries, Entry } from './meaning.js';

const operator = (cause: string, remedy: string): Entry => ({ cause, remedy, for: 'operator' });
const developer = (cause: string, remedy: string = REMEDIES.report): Entry => ({ cause, remedy, for: 'developer' });

const WAIT = REMEDIES.wait;
const REDIS = 'Check that Redis runs and REDIS_URL leads to it. Everything goes on by itself when it answers again.';
const OTHER_BOT = 'Let no other bot or program use this app: Feishu gives each event to one random connection.';
const STATE_DIR = 'Check STATE_DIR: does it exist, may this user write there, is the disk full?';
const SAME_KEYS = 'Give all processes the same TOKEN_ENCRYPTION_KEYS; a former key stands behind the first.';
const DOCTOR = 'Run feishu-authd doctor.';

export const LOG_EVENTS: Entries = {
  'callback.failed': developer('a redirect could not be judged by a fault of ours'),
  'callback.refused': operator(
    'a redirect or an HTTP callback came in that is not authentic',
    'Nothing to do for one. Many callbacks: `why` says what they lack; FEISHU_ENCRYPT_KEY must be that of the console. Many redirects: give all processes the same TOKEN_ENCRYPTION_KEYS.',
  ),
  'callbacks.silent': operator(
    'cards expire and no click has arrived',
    `Check 事件与回调 > 回调配置 (Events & Callbacks > Callback Configuration): long connection and card.action.trigger, then ${REMEDIES.publish}. ${OTHER_BOT}`,
  ),
  'card.click_failed': operator('a click could not be judged; the user was asked to try again', REDIS),
  'card.foreign_click': operator('a click names a session of another app', OTHER_BOT),
  'card.malformed_click': operator('a click is no action of ours', OTHER_BOT),
  'card.unknown_session': operator(
    'a click names a session that this store does not know',
    'Does another daemon use this app, or was Redis emptied? The user is asked again.',
  ),
  'card.update_failed': operator('a card could not be sent or updated', 'It is tried again. Look up feishu_code.'),
  'config.warning': operator(
    'a setting can be meant otherwise',
    'Read the sentence; feishu-authd config print shows all.',
  ),
  'daemon.failed': operator('the daemon could not start', 'Correct what the line names.'),
  'feishu.pause_not_shared': operator('the other processes could not be told of a pause', REDIS),
  'feishu.rate_limited': operator(
    'Feishu says: too many requests',
    'Nothing to do: it is tried again. Do other programs use the same app?',
  ),
  'grant.ended': operator('Feishu has ended a grant', 'Nothing to do: the user is asked again by a card.'),
  'grant.mass_loss': operator(
    'Feishu ends more grants than can be believed; they are kept',
    `Was the app secret reset, or the app stopped? ${DOCTOR}`,
  ),
  'grant.narrowed': operator(
    'a new consent covers less than the one before',
    'Nothing to do; ask for the scopes again.',
  ),
  'grant.not_asked': operator('a user cannot be asked again now', WAIT),
  'grant.not_renewable': operator(
    'Feishu gave no refresh token: the grant ends with its access token',
    `Switch on 刷新 user_access_token in 安全设置 (Security Settings), enable offline_access, then ${REMEDIES.publish}.`,
  ),
  'grant.not_verified': operator('whether a grant still works cannot be found out now', WAIT),
  'grant.suspended': operator('Feishu does not refresh a grant; it is kept', 'Do what the line names.'),
  'grant.withdrawal_not_told': operator('a user cannot be told that her authorization was withdrawn', WAIT),
  'http.internal_error': developer('a call of the API failed by a fault of ours'),
  'http.unauthorized': operator(
    'calls without a valid API key were refused',
    'Compare the key of the caller at remote_address with API_KEYS and `clients`.',
  ),
  'keyring.key_missing': operator('the store is written with a key that a process does not have', SAME_KEYS),
  'keyring.reseal_failed': operator('values of a former key could not be sealed again', REDIS),
  'keyring.reseal_waits': operator('a running process does not know the new key', SAME_KEYS),
  'link.failed': operator('no consent link could be made for a minute', 'The user can ask again. Look up feishu_code.'),
  'message.not_sent': operator('a message (CARD=link) could not be sent', 'It is tried again. Look up feishu_code.'),
  'notice.failed': operator('the group could not be told; the user herself was', 'Is the bot still in the group?'),
  'presence.not_told': operator('the other processes could not be told of this one', REDIS),
  'process.uncaught_exception': developer('a bug has ended a process; its manager starts it again'),
  'process.unhandled_rejection': developer('a promise nobody watched was rejected'),
  'queue.error': operator('a queue has trouble with Redis', REDIS),
  'queue.job_failed': operator('a job has failed; it is tried again', 'If it goes on, look at the log for its job_id.'),
  'queue.stalled': operator(
    'due jobs wait and nothing works on them',
    'The worker is replaced. If it goes on, restart the process with the role worker, and look at its CPU and at Redis.',
  ),
  'queue.watch_failed': operator('the queues could not be looked after', REDIS),
  'reconciler.failed': operator('a session could not be looked after; it is tried again', REDIS),
  'record.damaged': operator('a stored record did not open', 'It is kept aside; whoever it belongs to is asked again.'),
  'redirect.code_useless': operator(
    'a code brought no tokens; the link can be used again',
    'Do what the line names, or look up feishu_code.',
  ),
  'redirect.exchange_waits': operator('Feishu does not trade a code right now', WAIT),
  'redirect.failed': operator('a redirect could not be judged; its page can be reloaded', REDIS),
  'redirect.refused': operator("Feishu's page reported an error", 'Do what the line names.'),
  'redis.away': operator('Redis has not been reached since the start', REDIS),
  'redis.disconnected': operator('the connection to Redis is down', REDIS),
  'redis.error': operator('there is trouble with Redis', REDIS),
  'redis.eviction_allowed': operator(
    'Redis may throw grants away (REDIS_ALLOW_EVICTION)',
    'Set maxmemory-policy noeviction in Redis and take the variable out.',
  ),
  'redis.persistence': operator(
    'a restart of Redis would lose grants',
    'Set appendonly yes in Redis, and look at its disk.',
  ),
  'redis.unsuitable': operator(
    'Redis would throw grants away: its settings have changed',
    'Set maxmemory-policy noeviction in Redis.',
  ),
  'refresh.schedule_failed': operator('due refreshes could not be taken', REDIS),
  'session.confirming': operator('who has consented cannot be verified yet; the tokens wait', WAIT),
  'session.failed': operator('a session has failed', 'Look at its failure_detail.'),
  'session.wrong_account': {
    cause: 'another account consented; its tokens were thrown away',
    remedy: 'The card says so and offers a new link.',
    for: 'user',
  },
  'spool.unreadable': operator('a token set in STATE_DIR does not open', `It stays where it is. ${SAME_KEYS}`),
  'stop.step_failed': operator('a stop had to cut something short', 'Nothing to do: it goes on after the next start.'),
  'stop.step_late': operator(
    'a stop had to cut something short',
    'Nothing to do: it goes on after the next start. If it repeats, raise SHUTDOWN_TIMEOUT.',
  ),
  'store.lost': operator(
    'Redis has lost what it held: sessions and grants',
    'Restore a backup, or let the users authorize again; set appendonly yes in Redis.',
  ),
  'store.watch_failed': operator('the store could not be looked after', REDIS),
  'token.not_kept': operator('neither Redis nor STATE_DIR takes a fresh token set', `${REDIS} ${STATE_DIR}`),
  'token.not_spooled': operator('a fresh token set could not be written to STATE_DIR', STATE_DIR),
  'token.refresh_failed': operator('a refresh has failed; the grant is kept', WAIT),
  'token.refresh_halted': operator(
    'no token of the app can be refreshed; all grants are kept',
    `Do what the line names. ${DOCTOR}`,
  ),
  'token.refresh_unknown': operator('nobody knows whether Feishu has refreshed a token; it is found out', WAIT),
  'token.spooled': operator('Redis does not take a fresh token set; it waits in STATE_DIR', REDIS),
  'token.successor_awaited': operator('a refresh token was used before; its successor is waited for', WAIT),
  'ws.connect_failed': operator('a long connection did not come up', 'Do what the line names.'),
  'ws.disconnected': operator('a long connection was lost', 'Nothing to do: a new connection is made.'),
  'ws.event_not_accepted': operator('an event could not be written down; Feishu sends it again', REDIS),
  'ws.fault': developer('something went wrong inside the long connection'),
  'ws.frame_dropped': developer('a frame of a kind nobody handles was dropped'),
  'ws.listener_failed': developer('a listener of the long connection failed; the connection goes on'),
  'ws.rotation_failed': operator('a connection could not be replaced in time; the old one goes on', WAIT),
  'ws.settings_ignored': operator('Feishu sent an unusable ping interval; it is ignored', 'Nothing to do.'),
  'ws.unhandled_event': operator('Feishu sends an event that nothing here handles', OTHER_BOT),
};
