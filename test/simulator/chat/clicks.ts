/**
 * A person's click on a card: the callback goes out, the ack is judged as the client judges it, and the message shows
 * the result. Callbacks are never redelivered. Source: FEISHU.md §2.5, §3.3.
 */
import { checkCard } from '../card-rules.js';
import type { Directory, Person } from '../directory.js';
import type { EventStream } from '../event-stream.js';
import { type AckCard, judgeCallbackAck, type Toast, toastText } from '../gateway/ack.js';
import type { Push } from '../gateway/delivery.js';
import type { Settings } from '../options.js';
import type { Dispatch, DispatchOutcome } from '../webhook/dispatch.js';
import type { WebhookChange, WebhookRequest } from '../webhook/webhook-request.js';
import { type CallbackShape, callbackEnvelope } from './callback-event.js';
import type { CallbackTokens } from './callback-tokens.js';
import type { Chats, Message } from './chats.js';

type PushOptions = Pick<
  Push,
  'connectionId' | 'withUpgrade' | 'fragments' | 'fragmentOrder' | 'fragmentGapMs' | 'copies' | 'frameMessageId'
>;

export interface Click extends Person, CallbackShape, PushOptions {
  messageId: string;
  /** Default: the app that sent the message. */
  appId?: string;
  /** The language the toast is read in; default the person's. */
  locale?: string;
  /** Header `type` of the frame. */
  frameType?: 'event' | 'card';
  /** For apps with a `callbackUrl`: how the request differs from a genuine one. */
  http?: WebhookChange;
}

export interface ClickResult {
  /** `code` of the ack, by HTTP its status; undefined when none came in time. */
  ackCode: number | undefined;
  /** The decoded answer, whatever it is. */
  ackBody: unknown;
  toast?: Toast;
  /** The toast in the person's language. */
  toastText?: string;
  /** The card the ack carried, when the client took it. */
  card?: Record<string, unknown>;
  /** What the person sees when something is wrong: 200340, 200341, 200671, 200672, 200673, 200830 … */
  errorCode?: number;
  reason?: string;
  tookMs: number;
  connectionId?: string;
  /** What was posted, for apps with a `callbackUrl`. */
  request?: WebhookRequest;
  eventId: string;
}

export interface ClicksDeps {
  settings: Settings;
  directory: Directory;
  chats: Chats;
  tokens: CallbackTokens;
  dispatch: Dispatch;
  events: EventStream;
}

const NOT_CONFIGURED = 200340;
const NO_ANSWER = 200341;
const UNREACHABLE = { tcp: 200342, dns: 200343 } as const;
/** The app never had a say: what it has patched meanwhile stays. */
const UNANSWERED: readonly (number | undefined)[] = [NOT_CONFIGURED, NO_ANSWER, UNREACHABLE.tcp, UNREACHABLE.dns];

type Judged = Pick<ClickResult, 'ackCode' | 'ackBody'> & Partial<ClickResult>;

export class Clicks {
  readonly #deps: ClicksDeps;

  constructor(deps: ClicksDeps) {
    this.#deps = deps;
  }

  /** Clicks and waits until the client would stop waiting. Rejects only for a mistake in the test. */
  async click(click: Click): Promise<ClickResult> {
    const { directory, chats, events } = this.#deps;
    const message = chats.messages.get(click.messageId);
    if (!message) throw new Error(`no message ${click.messageId}`);
    const appId = click.appId ?? message.appId;
    const user = directory.person(appId, click);
    const envelope = this.#envelope(click, message, appId);
    const eventId = String((envelope['header'] as Record<string, unknown>)['event_id']);
    events.emit('click', { message_id: message.messageId, user_id: user.userId, event_id: eventId });
    const settle = chats.beginClick(message);
    const startedAt = performance.now();
    const outcome = await this.#push(click, appId, envelope);
    const judged = this.#judge(outcome, message);
    settle(UNANSWERED.includes(judged.errorCode) ? undefined : (judged.card ?? null));
    const shownText = toastText(judged.toast, click.locale ?? user.locale);
    const result: ClickResult = {
      ...judged,
      ...(shownText === undefined ? {} : { toastText: shownText }),
      tookMs: 'tookMs' in outcome ? outcome.tookMs : performance.now() - startedAt,
      eventId,
    };
    this.#announce(result, message, user.userId);
    return result;
  }

  #envelope(click: Click, message: Message, appId: string): Record<string, unknown> {
    const { directory, tokens, settings } = this.#deps;
    const app = directory.app(appId);
    if (!app) throw new Error(`no app ${appId}`);
    const user = directory.person(appId, click);
    const now = settings.now();
    return callbackEnvelope(
      {
        app,
        tenantKey: directory.tenantKey,
        openId: click.openId ?? directory.openId(user, appId),
        unionId: user.unionId,
        userId: user.userId,
        messageId: message.messageId,
        chatId: message.chatId,
        callbackToken: tokens.issue(appId, message.messageId, now + settings.limits.callbackTokenLifeMs),
        now,
      },
      click,
    );
  }

  #push(click: Click, appId: string, envelope: Record<string, unknown>): Promise<DispatchOutcome> {
    if (!this.#deps.directory.app(appId)?.callbacksConfigured) return Promise.resolve({ kind: 'no_connection' });
    const { connectionId, withUpgrade, fragments, fragmentOrder, fragmentGapMs, copies, frameMessageId, http } = click;
    return this.#deps.dispatch.callback({
      appId,
      payload: JSON.stringify(envelope),
      type: click.frameType ?? 'event',
      ...(connectionId === undefined ? {} : { connectionId }),
      ...(withUpgrade === undefined ? {} : { withUpgrade }),
      ...(fragments === undefined ? {} : { fragments }),
      ...(fragmentOrder === undefined ? {} : { fragmentOrder }),
      ...(fragmentGapMs === undefined ? {} : { fragmentGapMs }),
      ...(copies === undefined ? {} : { copies }),
      ...(frameMessageId === undefined ? {} : { frameMessageId }),
      ...(http === undefined ? {} : { http }),
    });
  }

  #judge(outcome: DispatchOutcome, message: Message): Judged {
    if (outcome.kind === 'no_connection') {
      return {
        ackCode: undefined,
        ackBody: undefined,
        errorCode: NOT_CONFIGURED,
        reason: 'no connection takes callbacks',
      };
    }
    const way = 'request' in outcome ? { request: outcome.request } : { connectionId: outcome.connectionId };
    if (!('ack' in outcome)) {
      const errorCode = outcome.kind === 'unreachable' ? UNREACHABLE[outcome.failure] : NO_ANSWER;
      const reason = outcome.kind === 'unreachable' ? `${outcome.failure} failure` : 'no ack in time';
      return { ackCode: undefined, ackBody: undefined, errorCode, reason, ...way };
    }
    const base = { ackCode: outcome.ack.code, ackBody: outcome.ack.body, ...way };
    const answer = judgeCallbackAck(outcome.ack);
    const { toast, errorCode, reason } = answer;
    if (errorCode !== undefined) return { ...base, errorCode, ...(reason === undefined ? {} : { reason }) };
    const card = answer.card ? this.#checkAckCard(answer.card, message) : undefined;
    if (card && 'errorCode' in card) return { ...base, ...(toast ? { toast } : {}), ...card };
    return { ...base, ...(toast ? { toast } : {}), ...(card ? { card: card.card } : {}) };
  }

  #checkAckCard(
    card: AckCard,
    message: Message,
  ): { card: Record<string, unknown> } | { errorCode: number; reason: string } {
    const shown = card.type === 'raw' ? card.data : { type: 'template', data: card.data };
    const refusal = checkCard(shown, { kind: 'ack', previous: message.content });
    return refusal ? { errorCode: refusal.code, reason: refusal.message } : { card: shown };
  }

  #announce(result: ClickResult, message: Message, userId: string): void {
    const about = { message_id: message.messageId, chat_id: message.chatId, user_id: userId };
    const { errorCode, toast, toastText: content, tookMs } = result;
    if (toast || errorCode !== undefined) {
      this.#deps.events.emit('toast', {
        ...about,
        toast_type: errorCode === undefined ? (toast?.type ?? 'info') : 'error',
        ...(content === undefined ? {} : { content }),
        ...(errorCode === undefined ? {} : { error_code: errorCode }),
      });
    }
    this.#deps.events.emit('click.settled', {
      ...about,
      ...(errorCode === undefined ? {} : { error_code: errorCode }),
      took_ms: tookMs,
    });
  }
}
