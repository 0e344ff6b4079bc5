/**
 * From the raw payload of a data frame to a CardAction or an event we act on (FEISHU.md §3.1 to §3.5). Pure. Accepts
 * the v2 envelope, the flat form of old cards, and values that are objects, JSON strings or JSON strings of JSON
 * strings. The verification token is not looked at: a long connection is authentic by how it was opened.
 */
import {
  CARD_ACTIONS,
  type CardActionName,
  CLICK_EVENT,
  LEFT_EVENT,
  type Received,
  WITHDRAWAL_EVENT,
} from '../domain/card-action.js';

const CLICK_TYPES = new Set([CLICK_EVENT, 'card.action.trigger_v1']);

type Fields = Readonly<Record<string, unknown>>;

export function parseCallback(payload: unknown): Received {
  const envelope = fields(payload);
  if (envelope === null) return { kind: 'nothing' };
  const header = fields(envelope['header']);
  const event = fields(envelope['event']);
  const type = text(header?.['event_type']) ?? text(event?.['type']) ?? text(envelope['type']);
  const eventId = text(header?.['event_id']) ?? text(envelope['uuid']) ?? text(envelope['event_id']);
  const isClick = type === null ? 'action' in envelope : CLICK_TYPES.has(type);
  if (isClick) return parseClick(header ?? {}, event ?? envelope, eventId);
  return type === null ? { kind: 'nothing' } : parseEvent(type, eventId, header ?? {}, event ?? {});
}

function parseEvent(type: string, eventId: string | null, header: Fields, event: Fields): Received {
  const about = { type, eventId, createdAt: milliseconds(header['create_time']) };
  if (type === WITHDRAWAL_EVENT) {
    const openId = text(event['open_id']);
    // Separated by spaces, and documented with one at the end.
    const tokenTypes = (text(event['revoke_token_type']) ?? '').split(' ').filter((name) => name !== '');
    if (openId !== null) return { kind: 'withdrawal', event: { ...about, openId, tokenTypes } };
  }
  if (type === LEFT_EVENT) {
    const openId = text(fields(event['object'])?.['open_id']);
    if (openId !== null) return { kind: 'left', event: { ...about, openId } };
  }
  return { kind: 'event', type, eventId };
}

function parseClick(header: Fields, click: Fields, eventId: string | null): Received {
  const keys = [...Object.keys(click), ...Object.keys(fields(click['action']) ?? {}).map((key) => `action.${key}`)];
  const malformed = (problem: string): Received => ({ kind: 'malformed', problem, keys: keys.slice(0, 30) });
  const operator = fields(click['operator']) ?? click;
  const openId = text(operator['open_id']);
  if (openId === null) return malformed('the operator has no open_id');
  const value = unwrap(fields(click['action'])?.['value']);
  const action = CARD_ACTIONS.find((known): known is CardActionName => known === value?.['action']);
  const sessionId = text(value?.['session_id']);
  if (action === undefined) return malformed('the value names no action of ours');
  if (sessionId === null) return malformed('the value names no session');
  const messageId = text(fields(click['context'])?.['open_message_id']) ?? text(click['open_message_id']);
  return {
    kind: 'click',
    action: {
      eventId,
      appId: text(header['app_id']),
      openId,
      // Some callbacks carry a correlation id here instead of a message id.
      messageId: messageId?.startsWith('om_') === true ? messageId : null,
      action,
      sessionId,
      createdAt: milliseconds(header['create_time']),
    },
  };
}

/** A value is an object, or a string of one, or a string of a string of one. */
function unwrap(value: unknown): Fields | null {
  let inner = value;
  for (let depth = 0; depth < 2 && typeof inner === 'string'; depth += 1) {
    try {
      inner = JSON.parse(inner);
    } catch {
      return null;
    }
  }
  return fields(inner);
}

/** Events count milliseconds, card callbacks microseconds (FEISHU.md §3.1), old ones seconds: told by magnitude. */
function milliseconds(time: unknown): number | null {
  const number = typeof time === 'string' || typeof time === 'number' ? Number(time) : Number.NaN;
  if (!Number.isFinite(number) || number <= 0) return null;
  if (number > 1e14) return Math.floor(number / 1000);
  return number < 1e11 ? number * 1000 : number;
}

const fields = (value: unknown): Fields | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;

const text = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' && value.length <= 256 ? value : null;
