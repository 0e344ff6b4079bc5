/**
 * Reads an ack as strictly as Feishu's client does and says which error code the person would see. Pure.
 * Source: FEISHU.md §2.5 (shape), §3.3 (body and codes).
 */
import { asObject } from '../http/exchange.js';

export interface Toast {
  type?: string;
  content?: string;
  i18n?: Record<string, string>;
}

export type AckCard =
  | { type: 'raw'; data: Record<string, unknown> }
  | { type: 'template'; data: Record<string, unknown> };

/** `body` is the decoded `data`; undefined = the ack carries none. */
export interface RawAck {
  code: number | undefined;
  body: unknown;
  /** Why the payload could not be read at all. */
  broken?: string;
}

export interface CallbackAnswer {
  toast?: Toast;
  card?: AckCard;
  errorCode?: number;
  /** What is wrong, for the reader of a failed test. */
  reason?: string;
}

const TOAST_TYPES = ['info', 'success', 'warning', 'error'];
const LANGUAGES =
  'zh_cn en_us zh_hk zh_tw ja_jp id_id vi_vn th_th pt_br es_es ko_kr de_de fr_fr it_it ru_ru ms_my'.split(' ');
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function readAck(payload: Uint8Array | undefined): RawAck {
  let outer: Record<string, unknown> | undefined;
  try {
    outer = asObject(JSON.parse(Buffer.from(payload ?? []).toString('utf8')));
  } catch {
    outer = undefined;
  }
  if (!outer) return { code: undefined, body: undefined, broken: 'the ack payload is not a JSON object' };
  const code = typeof outer['code'] === 'number' ? outer['code'] : undefined;
  const data = outer['data'];
  if (data === undefined || data === null || data === '') return { code, body: undefined };
  if (typeof data !== 'string' || !BASE64.test(data))
    return { code, body: undefined, broken: 'data is not base64 text' };
  try {
    return { code, body: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(data, 'base64'))) };
  } catch {
    return { code, body: undefined, broken: 'data does not hold UTF-8 JSON' };
  }
}

/** What the client makes of the ack of a card callback; the card itself is checked by the caller. */
export function judgeCallbackAck(ack: RawAck): CallbackAnswer {
  if (ack.code !== 200) return { errorCode: 200671, reason: `ack code ${ack.code ?? 'missing'}` };
  if (ack.broken !== undefined) return malformed(ack.broken);
  if (ack.body === undefined) return {};
  const body = asObject(ack.body);
  if (!body) return malformed('the answer is not a JSON object');
  const stray = Object.keys(body).find((key) => key !== 'toast' && key !== 'card');
  if (stray !== undefined) return malformed(`unknown member "${stray}"`);
  const toast = 'toast' in body ? readToast(body['toast']) : undefined;
  if (typeof toast === 'string') return malformed(toast);
  const card = 'card' in body ? readCard(body['card']) : undefined;
  if (typeof card === 'string') return malformed(card);
  return { ...(toast ? { toast } : {}), ...(card ? { card } : {}) };
}

const malformed = (reason: string): CallbackAnswer => ({ errorCode: 200672, reason });

function readToast(value: unknown): Toast | string {
  const toast = asObject(value);
  if (!toast) return 'toast is not an object';
  const stray = Object.keys(toast).find((key) => !['type', 'content', 'i18n'].includes(key));
  if (stray !== undefined) return `unknown member "toast.${stray}"`;
  if (toast['type'] !== undefined && !TOAST_TYPES.includes(String(toast['type']))) return 'toast.type is unknown';
  if (toast['content'] !== undefined && typeof toast['content'] !== 'string') return 'toast.content is not text';
  if (toast['i18n'] !== undefined) {
    const texts = asObject(toast['i18n']);
    if (!texts) return 'toast.i18n is not an object';
    for (const [language, content] of Object.entries(texts)) {
      if (!LANGUAGES.includes(language)) return `toast.i18n has an unknown language "${language}"`;
      if (typeof content !== 'string') return `toast.i18n.${language} is not text`;
    }
  }
  return toast as Toast;
}

function readCard(value: unknown): AckCard | string {
  const card = asObject(value);
  if (!card) return 'card is not an object';
  const stray = Object.keys(card).find((key) => key !== 'type' && key !== 'data');
  if (stray !== undefined) return `unknown member "card.${stray}"`;
  const data = asObject(card['data']);
  if (!data) return 'card.data is not an object';
  if (card['type'] === 'raw') return { type: 'raw', data };
  if (card['type'] !== 'template') return 'card.type is neither raw nor template';
  return typeof data['template_id'] === 'string' ? { type: 'template', data } : 'card.data.template_id is missing';
}

/** The text of a toast for a person's language. */
export function toastText(toast: Toast | undefined, locale: string): string | undefined {
  return toast?.i18n?.[locale] ?? toast?.content ?? Object.values(toast?.i18n ?? {})[0];
}
