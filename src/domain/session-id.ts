/**
 * Session ids carry their app, so that whoever holds an id knows which hash tag and which app it belongs to:
 * `as_<16 hex digits of the app id, as they are written>_<32 hex digits>`. The first 11 of the latter are the
 * milliseconds of birth (ids sort by age), the rest is random. Fit for BullMQ job ids (no `:`, not all digits).
 */
import { randomBytes } from 'node:crypto';

const APP_ID = /^cli_([0-9a-fA-F]{16})$/;
const SESSION_ID = /^as_([0-9a-fA-F]{16})_[0-9a-f]{32}$/;

export function newSessionId(appId: string, nowMs: number): string {
  const app = APP_ID.exec(appId)?.[1];
  if (app === undefined) throw new TypeError(`not an app id: ${appId}`);
  const time = Math.trunc(nowMs).toString(16).padStart(11, '0');
  const random = randomBytes(11).toString('hex').slice(0, 21);
  return `as_${app}_${time}${random}`;
}

/** The app a session id belongs to, or null when it is not a session id. */
export function appOfSession(sessionId: string): string | null {
  const app = SESSION_ID.exec(sessionId)?.[1];
  return app === undefined ? null : `cli_${app}`;
}
