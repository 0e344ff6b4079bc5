/** The ids of a session as log lines carry them (CONTRACT §8). */
import type { Session } from './session.js';

export const idsOf = (session: Pick<Session, 'sessionId' | 'appId' | 'clientId' | 'openId'>) => ({
  session_id: session.sessionId,
  app_id: session.appId,
  client_id: session.clientId,
  open_id: session.openId,
});
