/**
 * Codes of cards that the daemon itself never meets, because Feishu shows them to the user, or because it takes other
 * ways (FEISHU.md §3.3 client, §4.4 update by callback token, §4.5 ephemeral cards, §4.6 CardKit). English; data only.
 */
import { REMEDIES } from '../../domain/feishu-codes.js';
import type { Entries, Entry } from './meaning.js';

const operator = (cause: string, remedy: string): Entry => ({ cause, remedy, for: 'operator' });
const developer = (cause: string, remedy: string): Entry => ({ cause, remedy, for: 'developer' });
const user = (cause: string, remedy: string): Entry => ({ cause, remedy, for: 'user' });

const SUBSCRIBE = `Start the daemon, then set 事件与回调 > 回调配置 (Events & Callbacks > Callback Configuration) to 使用长连接接收回调 (long connection), add the callback 卡片回传交互 (card.action.trigger, not the old one), and ${REMEDIES.publish}. The daemon sees nothing of such a click.`;
const OTHER_PROGRAM =
  'Find the other program that uses this app id: Feishu gives each click to one random connection. feishu-authd itself always answers with an object.';
const WEBHOOK =
  'Set 回调配置 (Callback Configuration) to 使用长连接接收回调 (long connection): feishu-authd has no callback address.';
const CARD_FILE = 'Correct the card in cards/ (cards/README.md holds the rules) and restart.';

const NOT_SUBSCRIBED = operator('the app has no callback configuration, or it is not published', SUBSCRIBE);

/** Shown by the Feishu client to whoever clicks. */
export const CLIENT_CODES: Entries = {
  200080: operator('Feishu failed while it called the app', 'Click again; if it goes on, ask the support of Feishu.'),
  200340: NOT_SUBSCRIBED,
  200341: operator(
    'no answer within 3 seconds',
    'Look at GET /readyz and the metric lark_service_card_ack_seconds: is the daemon connected, is the machine overloaded, does another program use this app id?',
  ),
  200342: operator('the callback address cannot be reached (TCP)', WEBHOOK),
  200343: operator('the callback address cannot be resolved (DNS)', WEBHOOK),
  200345: NOT_SUBSCRIBED,
  200346: NOT_SUBSCRIBED,
  200347: NOT_SUBSCRIBED,
  200530: developer('a component inside a form has an empty name', CARD_FILE),
  200671: developer('the app answered with an error, or has no handler for clicks', OTHER_PROGRAM),
  200672: developer('the answer of the app is malformed', OTHER_PROGRAM),
  200673: developer('the card in the answer of the app is invalid', CARD_FILE),
  200830: developer('a card of schema 2.0 was answered with one of schema 1.0', OTHER_PROGRAM),
  300000: user('an error inside Feishu', 'Click again.'),
};

const NOT_OURS = 'feishu-authd never updates cards this way: look at the other programs that use this app id.';
const unused = (cause: string): Entry => developer(cause, NOT_OURS);

export const CALLBACK_UPDATE_CODES: Entries = {
  10002: unused('the card fails the validation of its parameters'),
  11311: unused('the structure of the card is invalid'),
  100000: unused('the card is too large'),
  100030: unused('the body of the request is not valid JSON'),
  200000: unused('the body of the request is not valid JSON, or the message was recalled'),
  200310: unused('the card was sent by another app'),
  200320: unused('the open_ids of an exclusive card are wrong'),
  300020: unused('the update token is malformed'),
  300030: unused('the update token has expired: it lives 30 minutes'),
  300040: unused('the update token is used up: it is good for two updates'),
  300090: unused('open_ids are required for this card'),
};

export const EPHEMERAL_CODES: Entries = { 18051: unused('the ephemeral card was deleted already') };

export const CARDKIT_CODES: Entries = {
  200220: unused('the card could not be generated'),
  200740: unused('the card entity does not exist'),
  200750: unused('the card entity has expired: it lives 14 days'),
  200770: unused('the uuid was used for another request'),
  200810: unused('a user is interacting with the card at this moment'),
  200860: unused('the card is too large'),
  300301: unused('two components have the same element_id'),
  300302: unused('update_multi is false'),
  300303: unused('the card is not of schema 2.0'),
  300305: unused('the card has more than 200 components'),
  300307: unused('the card is empty'),
  300311: unused('the card entity belongs to another app'),
  300317: unused('the sequence number is not higher than the one before'),
};
