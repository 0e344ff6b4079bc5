/**
 * Shows a session as messages (CARD=link): one with the link, one with each new link, one that tells the end. What is
 * to be told is domain/news.ts; the record says what was. A repeat after a crash has the uuid of the first attempt, so
 * that Feishu gives the message of that one (FEISHU.md §4.2).
 */
import { FeishuError } from '../domain/feishu-error.js';
import { newsOf } from '../domain/news.js';
import { isLive } from '../domain/session.js';
import type { CardRenderer } from '../feishu/cards/card-renderer.js';
import type { OpenApi } from '../feishu/open-api/open-api.js';
import { endsMessage, type Showing, uuidOf } from './showing.js';

export interface ShowMessageDeps {
  readonly renderer: Pick<CardRenderer, 'message'>;
  readonly messages: (appId: string) => Pick<OpenApi, 'sendPost'> | undefined;
  /** Milliseconds. */
  readonly now: () => number;
}

export function createShowMessage({ messages, now, renderer }: ShowMessageDeps): Showing {
  return {
    events: { failed: 'message.not_sent', givenUp: 'message.given_up' },
    async show(session) {
      const ofApp = messages(session.appId);
      if (ofApp === undefined) return { outcome: 'failed' };
      const news = newsOf(session, now());
      const post = news === null ? null : renderer.message(news.message, session, now());
      if (news === null || post === null) return { outcome: 'told' };
      try {
        const uuid = uuidOf(`message ${session.cards} ${news.id}`, session.sessionId);
        const sent = await ofApp.sendPost({ receiveIdType: 'open_id', receiveId: session.openId, post, uuid });
        return { outcome: 'told', messageId: sent.messageId, message: news.message, said: news.id };
      } catch (error) {
        if (!(error instanceof FeishuError)) throw error;
        if (isLive(session.state)) return { outcome: 'failed', error, isNeeded: true };
        return { outcome: endsMessage(error) ? 'gone' : 'failed', error };
      }
    },
  };
}
