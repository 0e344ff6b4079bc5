/**
 * What Feishu's answers to sending and updating messages mean (FEISHU.md §4.7, with §4.6 where a card is refused). Data
 * only; codes any API may answer are in domain/feishu-codes.ts.
 */
import { type CodeEntry, type CodeTable, REMEDIES } from '../../domain/feishu-codes.js';
import type { FeishuMeaning } from '../../domain/feishu-error.js';
import type { FailureDetail } from '../../domain/session.js';

const { publish: PUBLISH, report: REPORT } = REMEDIES;
const AVAILABILITY = `Add the user to 可用范围 (Availability) of the app, then ${PUBLISH}.`;
const IN_CHAT = 'Add the bot to the chat again, or ask without chat_id.';
const CHAT_RULES = "Let a chat administrator allow the bot to post in the chat's settings, or ask without chat_id.";
const TEMPLATE = 'Correct the template in cards/ (FEISHU.md §5 holds the rules) and restart.';
const NOTHING = 'Nothing to do: the message is left as it is.';
const CONTENT = 'Have the asking service write another reason, without phone numbers, addresses and the like.';

const entry =
  (meaning: FeishuMeaning, audience: FailureDetail['for']) =>
  (cause: string, remedy: string): CodeEntry => ({ class: meaning, cause, remedy, for: audience });

const unreachable = entry('unreachable', 'operator');
const userMustAct = entry('unreachable', 'user');
const misconfigured = entry('misconfigured', 'operator');
const template = entry('misconfigured', 'operator');
const bug = entry('bug', 'developer');
const gone = (cause: string): CodeEntry => ({ class: 'gone', cause, remedy: NOTHING, for: 'user' });
const retry = (cause: string): CodeEntry => ({
  class: 'retry',
  cause,
  remedy: REMEDIES.wait,
  for: 'operator',
});

export const MESSAGE_CODES: CodeTable = {
  230001: bug('a parameter is invalid', REPORT),
  230002: unreachable('the bot is not in the chat', IN_CHAT),
  230006: misconfigured('the app has no bot', `Add 添加应用能力 > 机器人 (Add Features > Bot), then ${PUBLISH}.`),
  230009: gone('the time to recall the message is over'),
  230011: gone('the message was recalled'),
  230013: unreachable('the user is outside the availability of the app, or has resigned', AVAILABILITY),
  230017: unreachable('the bot does not own the message', REPORT),
  230018: unreachable('the settings of the group forbid it', CHAT_RULES),
  230019: gone('the topic does not exist any more'),
  230020: retry('too many messages or updates for this message, chat or user'),
  230022: bug('the content was found to be sensitive', CONTENT),
  230025: bug('the content is too long', TEMPLATE),
  230026: gone('no right to recall the message'),
  230027: misconfigured(
    'the app lacks a permission for messages',
    `Enable im:message, or im:message:send_as_bot and im:message:update, under 权限管理 (Permissions & Scopes), then ${PUBLISH}.`,
  ),
  230028: bug('a data protection rule (DLP) stopped the content', CONTENT),
  230029: unreachable('the user has resigned', 'Do not ask this user any more.'),
  230031: gone('the message is older than 14 days'),
  230034: unreachable('the receiver does not exist', 'Check the open_id or chat_id: it must come from this app.'),
  230035: unreachable('no right to post in this chat', CHAT_RULES),
  230036: unreachable("the tenant's encryption key was deleted", "Let the tenant's administrator restore it."),
  230038: unreachable('a direct message to another tenant is forbidden', 'Ask users of your own tenant only.'),
  230049: retry('the same message is being sent at this moment'),
  230050: unreachable('the message is not visible to the bot', IN_CHAT),
  230053: userMustAct(
    'the user has stopped the bot',
    'Open the chat with the bot in Feishu and let it send messages again.',
  ),
  230054: bug('this kind of message is not supported here', REPORT),
  230055: bug('the file does not match the kind of message', REPORT),
  230071: bug('this group takes no replies in threads', REPORT),
  230072: gone('the message is an aggregated one'),
  230075: unreachable('the chat is encrypted: bots cannot post in it', 'Ask without chat_id.'),
  230099: template('Feishu could not make the card', TEMPLATE),
  230110: gone('the message was deleted'),
  230111: gone('the message has destroyed itself'),
  231003: gone('the message was deleted'),
  232009: unreachable('the group was dissolved', 'Ask without chat_id.'),
  99992351: unreachable('the open_id is not known to Feishu', 'Check the open_id: it must be one of this app.'),
  99992361: unreachable('the open_id belongs to another app', REMEDIES.otherApp),
};

/** 230099 hides the reason in its text, as `ext=ErrCode: N`. */
export const CARD_SUB_CODES: Readonly<Record<number, string>> = {
  11310: 'a template that is not visible, too many elements, or the card is locked',
  100290: 'a user id in the card is invalid',
  200380: 'the template is missing or not published',
  200381: 'the template is not visible to the app',
  200550: 'a chart is invalid',
  200570: 'an image key is invalid',
  200621: 'the card is not valid JSON',
  200732: 'a template variable has the wrong type',
  200737: 'a template variable has the wrong format',
  200861: 'a tag that schema 2.0 does not know',
  200914: 'table data is invalid',
  200915: 'table data is invalid',
  300220: 'an audio element is invalid',
  300230: 'an audio element is invalid',
  300240: 'an audio element is invalid',
};
