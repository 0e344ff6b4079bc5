/** Shows a session as a card: sent once, then replaced whole by each PATCH (FEISHU.md §4.2, §4.3). */
import { FeishuError } from '../domain/feishu-error.js';
import { isLive } from '../domain/session.js';
import type { CardRenderer } from '../feishu/cards/card-renderer.js';
import type { OpenApi } from '../feishu/open-api/open-api.js';
import { endsMessage, type Showing, uuidOf } from './showing.js';

export interface ShowCardDeps {
  readonly renderer: Pick<CardRenderer, 'render'>;
  readonly messages: (appId: string) => Pick<OpenApi, 'sendCard' | 'patchCard'> | undefined;
  readonly now: () => number;
}

export function createShowCard({ messages, now, renderer }: ShowCardDeps): Showing {
  return {
    events: { failed: 'card.update_failed', givenUp: 'card.gone' },
    async show(session) {
      const ofApp = messages(session.appId);
      if (ofApp === undefined) return { outcome: 'failed' };
      const { messageId, openId, sessionId } = session;
      const card = renderer.render(session, now());
      try {
        if (messageId !== null) {
          await ofApp.patchCard({ messageId, card });
          return { outcome: 'patched' };
        }
        const uuid = uuidOf(`card ${session.cards}`, sessionId);
        const sent = await ofApp.sendCard({ receiveIdType: 'open_id', receiveId: openId, card, uuid });
        return { outcome: 'sent', messageId: sent.messageId };
      } catch (error) {
        if (!(error instanceof FeishuError)) throw error;
        const isOver = endsMessage(error) && (messageId !== null || !isLive(session.state));
        if (isOver) return { outcome: 'gone', error };
        if (messageId === null) return { outcome: 'failed', error, isNeeded: true };
        return { outcome: error.kind === 'uncertain' ? 'uncertain' : 'failed', error };
      }
    },
  };
}
