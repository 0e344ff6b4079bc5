/**
 * Chats and what people see in them. A card in a message follows the real client: what is shown changes by send, PATCH,
 * token update and ack, and a change that arrived while a click waited for its ack is undone by the ack.
 * Source: FEISHU.md §4.3, §4.4 ("reverted"), FAILURES B-update-races-ack-and-reverts.
 */
import type { EventStream } from '../event-stream.js';
import { hex } from '../secret-book.js';

export interface Chat {
  chatId: string;
  kind: 'p2p' | 'group';
  title: string;
  /** The bot's app; a group may hold the bots of several apps. */
  appIds: string[];
  /** user_ids. */
  members: string[];
}

/** Where a content came from; `revert`: an ack put back what was there before the click. */
export type ContentSource = 'send' | 'patch' | 'update' | 'ack' | 'revert';

export interface AppliedContent {
  source: ContentSource;
  /** The parsed content: a card object, `{text}`, or a post by languages. */
  content: Record<string, unknown>;
  at: number;
}

export interface Message {
  messageId: string;
  chatId: string;
  appId: string;
  kind: 'card' | 'text' | 'post';
  msgType: string;
  uuid?: string;
  /** The receiver in a p2p chat. */
  userId?: string;
  /** What the client shows now. */
  content: Record<string, unknown>;
  history: AppliedContent[];
  createdAt: number;
  updatedAt: number;
  recalled: boolean;
  /** Clicks that wait for their ack. */
  clicking: number;
}

/** A click in progress: remembers what to go back to. */
interface OpenClick {
  before: Record<string, unknown>;
}

export class Chats {
  readonly chats = new Map<string, Chat>();
  readonly messages = new Map<string, Message>();
  readonly #clicks = new Map<string, Set<OpenClick>>();
  readonly #events: EventStream;
  readonly #now: () => number;

  constructor(deps: { events: EventStream; now: () => number }) {
    this.#events = deps.events;
    this.#now = deps.now;
  }

  /** The 1:1 chat of a person with an app's bot, made on first use. */
  p2p(appId: string, userId: string, title: string): Chat {
    for (const chat of this.chats.values()) {
      if (chat.kind === 'p2p' && chat.appIds[0] === appId && chat.members[0] === userId) return chat;
    }
    return this.#add({ chatId: `oc_${hex(16)}`, kind: 'p2p', title, appIds: [appId], members: [userId] });
  }

  addGroup(input: { title?: string; appIds: string[]; members: string[] }): Chat {
    const title = input.title ?? `Group ${this.chats.size + 1}`;
    return this.#add({ chatId: `oc_${hex(16)}`, kind: 'group', title, appIds: input.appIds, members: input.members });
  }

  addMessage(
    input: Pick<Message, 'chatId' | 'appId' | 'kind' | 'msgType' | 'content'> & { uuid?: string; userId?: string },
  ): Message {
    const at = this.#now();
    const message: Message = {
      ...input,
      messageId: `om_${hex(16)}`,
      history: [{ source: 'send', content: input.content, at }],
      createdAt: at,
      updatedAt: at,
      recalled: false,
      clicking: 0,
    };
    this.messages.set(message.messageId, message);
    this.#events.emit('message', this.#about(message));
    return message;
  }

  /** A PATCH or token update from the server: shown at once, but undone by the ack of a click still in progress. */
  applyRemote(message: Message, content: Record<string, unknown>, source: 'patch' | 'update'): void {
    this.#show(message, content, source);
  }

  recall(message: Message): void {
    message.recalled = true;
    message.updatedAt = this.#now();
    this.#events.emit('recalled', this.#about(message));
  }

  /** Begins a click. The returned function ends it: with a card, without one (`null`), or unanswered (`undefined`). */
  beginClick(message: Message): (card: Record<string, unknown> | null | undefined) => void {
    const click: OpenClick = { before: message.content };
    const open = this.#clicks.get(message.messageId) ?? new Set();
    this.#clicks.set(message.messageId, open.add(click));
    message.clicking += 1;
    this.#events.emit('updated', this.#about(message));
    return (card) => {
      open.delete(click);
      message.clicking -= 1;
      if (card) {
        // What an ack shows is settled: another click on this message must not go back behind it.
        for (const other of open) other.before = card;
        this.#show(message, card, 'ack');
      } else if (card === null && message.content !== click.before) {
        this.#show(message, click.before, 'revert');
      } else {
        this.#events.emit('updated', this.#about(message));
      }
    };
  }

  #show(message: Message, content: Record<string, unknown>, source: ContentSource): void {
    const at = this.#now();
    message.content = content;
    message.updatedAt = at;
    message.history.push({ source, content, at });
    this.#events.emit('updated', { ...this.#about(message), source });
  }

  #add(chat: Chat): Chat {
    this.chats.set(chat.chatId, chat);
    return chat;
  }

  #about(message: Message): Record<string, unknown> {
    const { messageId, chatId, appId, userId } = message;
    return {
      message_id: messageId,
      chat_id: chatId,
      app_id: appId,
      ...(userId === undefined ? {} : { user_id: userId }),
    };
  }
}
