/**
 * What a person, an administrator or the company does to a user's tokens, and the event that tells of it: delayed,
 * repeated, late or about an older consent, as a test wants it. Source: FEISHU.md §3.4, §3.5, §10 no. 5.
 */
import type { Directory, Person } from './directory.js';
import { type EventPush, type EventPusher, envelope, type PushTiming } from './gateway/event-pusher.js';
import type { TokenBook, TokenKind } from './oauth/token-book.js';
import type { Settings } from './options.js';

export interface Revocation extends Person, PushTiming {
  /** Which tokens die; default both. None of them: the event is about something else. */
  tokens?: readonly TokenKind[];
  /** `revoke_token_type`, verbatim; default both, with the space at the end that Feishu's documentation has. */
  tokenTypes?: string;
  /** `revoke_reason`, free text. */
  reason?: string;
  /** When it happened, epoch ms; default now. */
  createTime?: number;
  eventId?: string;
}

export interface Leaving extends Person, PushTiming {
  createTime?: number;
  eventId?: string;
}

const BOTH: readonly TokenKind[] = ['user_access_token', 'refresh_token'];

export class People {
  readonly #deps: { settings: Settings; directory: Directory; tokens: TokenBook; pusher: EventPusher };

  constructor(deps: { settings: Settings; directory: Directory; tokens: TokenBook; pusher: EventPusher }) {
    this.#deps = deps;
  }

  /** The tokens die at once; the event follows. */
  revoke(appId: string, revocation: Revocation): EventPush {
    const { directory, tokens } = this.#deps;
    const user = directory.person(appId, revocation);
    tokens.revokeAll(appId, user, revocation.tokens ?? BOTH);
    return this.#push(appId, 'auth.user_access_token.revoked_v4', revocation, {
      revoke_token_type: revocation.tokenTypes ?? `${BOTH.join(' ')} `,
      revoke_reason: revocation.reason ?? 'user action',
      open_id: directory.openId(user, appId),
      union_id: user.unionId,
    });
  }

  /** She resigns: no API serves her any more, and nobody can write to her. */
  leave(appId: string, leaving: Leaving): EventPush {
    const { directory } = this.#deps;
    const user = directory.person(appId, leaving);
    user.state = 'resigned';
    return this.#push(appId, 'contact.user.deleted_v3', leaving, {
      object: { open_id: directory.openId(user, appId), union_id: user.unionId, name: user.name },
      old_object: { department_ids: ['0'] },
    });
  }

  #push(appId: string, type: string, about: Leaving, event: Record<string, unknown>): EventPush {
    const { directory, pusher, settings } = this.#deps;
    const app = directory.app(appId);
    if (!app) throw new Error(`no app ${appId}`);
    const { createTime = settings.now(), delayMs, eventId, redeliver, repeats } = about;
    const header = { create_time: String(createTime), ...(eventId === undefined ? {} : { event_id: eventId }) };
    return pusher.push(appId, envelope(app, directory.tenantKey, type, event, header), {
      ...(delayMs === undefined ? {} : { delayMs }),
      ...(redeliver === undefined ? {} : { redeliver }),
      ...(repeats === undefined ? {} : { repeats }),
    });
  }
}
