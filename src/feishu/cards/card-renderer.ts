/**
 * Session in, card out. Pure and deterministic: what it needs of the outside (clock value, names, hosts) is given.
 * It decides nothing about a session (domain/screen.ts says which screen it shows) and sends nothing.
 */
import type { MessageName } from '../../domain/news.js';
import { GONE_SCREEN, screenOf, WITHDRAWN_SCREEN } from '../../domain/screen.js';
import type { Session } from '../../domain/session.js';
import type { CardName, ToastName, ToastType } from './card-set.js';
import { createCardTime } from './card-time.js';
import type { JsonObject } from './json.js';
import { LINK_MESSAGES } from './message-rules.js';
import { fillMessage } from './message-text.js';
import { fillNotice } from './notice.js';
import { sessionVariables, shownLink, shownName, type VariableSources } from './session-variables.js';
import { fillTemplate } from './template.js';
import { NO_VARIABLES } from './variables.js';
import { type WithdrawnGrant, withdrawalVariables } from './withdrawal.js';

export interface CardRendererDeps extends Omit<VariableSources, 'time'> {
  /** IANA zone for times on cards. */
  readonly timezone: string;
}

/** A toast as an ack holds it (FEISHU.md §3.3). */
export interface Toast {
  readonly type: ToastType;
  readonly content: string;
  readonly i18n: { readonly zh_cn: string; readonly en_us: string };
}

export interface CardRenderer {
  /**
   * The card that shows the session's present state.
   * @param now milliseconds since the epoch, by the clock the session's times are from
   */
  render(session: Session, now: number): JsonObject;
  /** The card for a session that is not known any more. */
  gone(): JsonObject;
  /** The card that tells of a withdrawn grant. */
  withdrawn(grant: WithdrawnGrant): JsonObject;
  /**
   * The content of a message (`post`) with this news of the session; null: it is about a link that there is no more,
   * because the app has changed its grant.
   */
  message(name: MessageName, session: Session, now: number): JsonObject | null;
  /** The message that tells of a withdrawn grant. */
  withdrawnMessage(grant: WithdrawnGrant): JsonObject;
  toast(name: ToastName): Toast;
  /** Text of the notice for the group of `session.chatId`. */
  notice(session: Session): string;
}

/** @throws RangeError for an unknown time zone */
export function createCardRenderer(deps: CardRendererDeps): CardRenderer {
  const { cards } = deps;
  const sources: VariableSources = { ...deps, time: createCardTime(deps.timezone) };
  return {
    render: (session, now) =>
      fillTemplate(cards.templates[cardOf(session, sources)], sessionVariables(session, now, sources)),
    gone: () => fillTemplate(cards.templates[GONE_SCREEN], NO_VARIABLES),
    withdrawn: (grant) => fillTemplate(cards.templates[WITHDRAWN_SCREEN], withdrawalVariables(grant, sources)),
    message(name, session, now) {
      const variables = sessionVariables(session, now, sources);
      if (LINK_MESSAGES.has(name) && variables.link === '') return null;
      return fillMessage(cards.messages[name], variables);
    },
    withdrawnMessage: (grant) => fillMessage(cards.messages[WITHDRAWN_SCREEN], withdrawalVariables(grant, sources)),
    toast: (name) => {
      const { type, zh_cn, en_us } = cards.toasts[name];
      return { type, content: zh_cn, i18n: { zh_cn, en_us } };
    },
    notice: (session) =>
      fillNotice(cards.notice, session.openId, shownName(deps.clientName(session.clientId, session.appId))),
  };
}

/** A record that says "live" but has lost its link offers a new one instead of an empty button. */
function cardOf(session: Session, sources: VariableSources): CardName {
  const screen = screenOf(session);
  return screen === 'link' && shownLink(session, sources) === null ? 'link-expired' : screen;
}
