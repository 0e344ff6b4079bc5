/**
 * Feishu's judgement of a card: taken, or refused with the code a bot (send, patch) or a person (ack) would see.
 * Written from FEISHU.md §3.3, §4.3, §4.7, §5 and on purpose without a line of the daemon's own card check: two
 * readings of the rules that must agree. Schema 1.0 is taken loosely, as Feishu ignores what it does not know there.
 */
import { isObject } from './card-rules/rule.js';
import { describe, SUB_CODES, type Violation } from './card-rules/violation.js';
import { walkCard } from './card-rules/walk.js';

/** Bytes of the card's JSON (30 KB, FEISHU.md §0). */
export const MAX_CARD_BYTES = 30 * 1024;

export interface CardContext {
  /** `send`: POST im/v1/messages; `patch`: PATCH of a message; `ack`: the card in a callback's answer. */
  readonly kind: 'send' | 'patch' | 'ack';
  /** The card the message shows now (parsed), for `patch` and `ack`. */
  readonly previous?: unknown;
}

export interface CardRefusal {
  /** `send`, `patch`: 230099, 230025 or 230001. `ack`: what the client shows (200673, 200830, …). */
  readonly code: number;
  /** The `ErrCode` inside the message. */
  readonly subCode?: number;
  readonly message: string;
}

/**
 * @param card the parsed card object (the string form must have been parsed by the caller)
 * @returns null when Feishu would take it
 */
export function checkCard(card: unknown, context: CardContext): CardRefusal | null {
  if (!isObject(card)) return refusal(context, { subCode: SUB_CODES.badJson, detail: 'card is not an object' });
  if (context.kind !== 'ack' && byteLength(card) > MAX_CARD_BYTES) {
    return { code: 230025, message: 'The length of the message content reaches its limit.' };
  }
  if (byteLength(card) > MAX_CARD_BYTES) {
    return refusal(context, { subCode: SUB_CODES.badJson, detail: `more than ${MAX_CARD_BYTES} bytes` });
  }
  const moved = schemaMove(card, context);
  if (moved) return moved;
  if (card['type'] === 'template' || card['type'] === 'card') {
    return refusal(context, { subCode: SUB_CODES.templateMissing, detail: 'no templates and card entities here' });
  }
  if (schemaOf(card) === '1.0') return checkOldCard(card, context);
  const [first] = walkCard(card);
  if (first) return refusal(context, first);
  const body = card['body'];
  const isEmpty =
    card['header'] === undefined && !(isObject(body) && Array.isArray(body['elements']) && body['elements'].length);
  return isEmpty ? refusal(context, { subCode: SUB_CODES.emptyCard, detail: 'no header and no elements' }) : null;
}

const schemaOf = (card: unknown): string =>
  isObject(card) && card['schema'] !== undefined ? String(card['schema']) : '1.0';

/** The schema version of a message stays: 2.0 to 1.0 has its own code; the other way is not documented as allowed. */
function schemaMove(card: Record<string, unknown>, context: CardContext): CardRefusal | null {
  if (context.previous === undefined || context.kind === 'send') return null;
  const [before, after] = [schemaOf(context.previous), schemaOf(card)];
  if (before === after) return null;
  const violation = { subCode: SUB_CODES.schemaChanged, detail: `schema ${before} to ${after}` };
  if (context.kind === 'ack') {
    return { code: before === '2.0' ? 200830 : 200673, subCode: violation.subCode, message: describe(violation) };
  }
  return refusal(context, violation);
}

/** 1.0: unknown attributes are ignored; a PATCH needs shared cards before and after (FEISHU.md §4.3). */
function checkOldCard(card: Record<string, unknown>, context: CardContext): CardRefusal | null {
  if (card['elements'] !== undefined && !Array.isArray(card['elements'])) {
    return refusal(context, { subCode: SUB_CODES.badJson, detail: 'elements is not an array' });
  }
  const shared = (value: unknown): boolean => {
    const config = isObject(value) ? value['config'] : undefined;
    return isObject(config) && config['update_multi'] === true;
  };
  if (context.kind === 'patch' && !(shared(card) && shared(context.previous))) {
    return {
      code: 230001,
      message: 'Your request contains an invalid request parameter, ext=update_multi is not true.',
    };
  }
  return null;
}

function refusal(context: CardContext, violation: Violation): CardRefusal {
  if (context.kind === 'ack') {
    const known: readonly number[] = [SUB_CODES.namelessInForm];
    const code = known.includes(violation.subCode) ? violation.subCode : 200673;
    return { code, subCode: violation.subCode, message: describe(violation) };
  }
  return {
    code: 230099,
    subCode: violation.subCode,
    message: `Failed to create card content, ext=${describe(violation)}`,
  };
}

const byteLength = (card: Record<string, unknown>): number => Buffer.byteLength(JSON.stringify(card), 'utf8');
