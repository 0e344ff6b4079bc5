/**
 * What the redirect of the authorization code grant does to a session in Redis: its code is kept, sealed, before it is
 * used, and only its fingerprint afterwards, so that a reloaded page is recognised.
 *
 * Errors: whatever ioredis throws when Redis does not answer; `record_damaged` and `key_mismatch` from the envelope.
 */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { CODE_LIFE_MS, type CodeLink, type FailureDetail, type Session } from '../domain/session.js';
import { appOfSession } from '../domain/session-id.js';
import type { Envelope } from './envelope.js';
import type { StoreKeys } from './keys.js';
import type { Script, ScriptArgument } from './script.js';
import { dropCodeScript, holdCodeScript, receiveCodeScript, refuseLinkScript } from './scripts/redirecting.js';
import { type NewCode, parseSession, type SealedLink, sealLink, toRecord } from './session-record.js';

/**
 * `taken`: it is to be exchanged. `same`: it was the last one taken. `useless`: it was tried before. `busy`: another
 * one is being exchanged. `limited`: too many were of no use in the last minute; the same one can be brought again.
 * `used`: not the session's link any more.
 */
export type ReceiveCode = Verdict<'taken' | 'same' | 'useless' | 'busy' | 'limited' | 'used' | 'ended'>;
export type RefuseLink = Verdict<'rejected' | 'ended' | 'used'>;

type Verdict<Known extends string> =
  /** `expiredNow`: its time was over, and the redirect came before the job that ends it. */
  | { readonly verdict: Known; readonly session: Session; readonly expiredNow: boolean }
  | { readonly verdict: 'unknown' };

/** Each useless code costs a call of the token endpoint, which all users of the app share. */
const USELESS_CODES = { max: 5, windowMs: 60_000 };

export interface RedirectStore {
  /**
   * A code has come back by the link with this number. `holdMs`: the session does not expire for so long, so that the
   * exchange can begin.
   */
  receiveCode(sessionId: string, number: number, code: NewCode, holdMs: number): Promise<ReceiveCode>;
  /** The code is tried again later: the session does not expire for so long, or before the code itself does. */
  holdCode(sessionId: string, link: CodeLink, holdMs: number): Promise<void>;
  /** The code was of no use, and why; its link still is. False: it is not in hand any more. */
  dropCode(sessionId: string, link: CodeLink, detail: FailureDetail): Promise<boolean>;
  /** She refused on Feishu's page, and her browser says so. */
  refuseLink(sessionId: string, number: number): Promise<RefuseLink>;
}

export function createRedirectStore(deps: { redis: Redis; keys: StoreKeys; envelope: Envelope }): RedirectStore {
  const { envelope, keys, redis } = deps;

  const run = async (script: Script, sessionId: string, ...args: readonly ScriptArgument[]): Promise<unknown> => {
    const appId = appOfSession(sessionId);
    return appId === null ? null : await script(redis, [keys.base(appId)], [sessionId, ...args]);
  };

  const verdictOf = <Known extends string>(sessionId: string, reply: unknown): Verdict<Known> => {
    const [verdict, record, expired]: unknown[] = Array.isArray(reply) ? reply : [];
    if (typeof verdict !== 'string' || verdict === 'unknown') return { verdict: 'unknown' };
    const session = parseSession(envelope, appOfSession(sessionId) ?? '', sessionId, toRecord(record));
    return { verdict: verdict as Known, session, expiredNow: expired === 1 };
  };

  const seal = (sessionId: string, link: SealedLink): string =>
    sealLink(envelope, appOfSession(sessionId) ?? '', sessionId, link);

  return {
    async receiveCode(sessionId, number, code, holdMs) {
      // It ends with its session, which the store knows.
      const sealed = seal(sessionId, { grant: 'authorization_code', number, expiresAt: 0, received: code });
      const fingerprint = createHash('sha256').update(code.code).digest('base64url');
      const { max, windowMs } = USELESS_CODES;
      const args = [number, sealed, fingerprint, holdMs, max, windowMs];
      return verdictOf(sessionId, await run(receiveCodeScript, sessionId, ...args));
    },

    async holdCode(sessionId, link, holdMs) {
      await run(holdCodeScript, sessionId, link.number, Math.round(holdMs), CODE_LIFE_MS);
    },

    async dropCode(sessionId, link, detail) {
      const sealed = seal(sessionId, { ...link, received: null });
      const args = [link.number, sealed, JSON.stringify(detail), USELESS_CODES.windowMs];
      return (await run(dropCodeScript, sessionId, ...args)) === 1;
    },

    async refuseLink(sessionId, number) {
      return verdictOf(sessionId, await run(refuseLinkScript, sessionId, number));
    },
  };
}
