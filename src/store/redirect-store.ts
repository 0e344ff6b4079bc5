/**
 * What the redirect of the authorization code grant does to a session in Redis: its code is kept, sealed, before it is
 * used, and only its fingerprint afterwards, so that a reloaded page is recognised.
 *
 * Errors: whatever ioredis throws when Redis does not answer; `record_damaged` and `key_mismatch` from the envelope.
 */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { CodeLink, FailureDetail, ReceivedCode, Session } from '../domain/session.js';
import { appOfSession } from '../domain/session-id.js';
import type { Envelope } from './envelope.js';
import type { StoreKeys } from './keys.js';
import type { Script, ScriptArgument } from './script.js';
import { dropCodeScript, receiveCodeScript, refuseLinkScript } from './scripts/redirecting.js';
import { parseSession, sealLink, toRecord } from './session-record.js';

/**
 * `taken`: it is to be exchanged. `same`: it was the last one taken. `useless`: it was tried before. `busy`: another
 * one is being exchanged. `used`: not the session's link any more.
 */
export type ReceiveCode = Verdict<'taken' | 'same' | 'useless' | 'busy' | 'used' | 'ended'>;
export type RefuseLink = Verdict<'rejected' | 'ended' | 'used'>;

type Verdict<Known extends string> =
  | { readonly verdict: Known; readonly session: Session }
  | { readonly verdict: 'unknown' };

export interface RedirectStore {
  /**
   * A code has come back by the link with this number. `holdMs`: the session does not expire for so long, so that the
   * exchange can begin.
   */
  receiveCode(sessionId: string, number: number, code: ReceivedCode, holdMs: number): Promise<ReceiveCode>;
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
    const [verdict, record]: unknown[] = Array.isArray(reply) ? reply : [];
    if (typeof verdict !== 'string' || verdict === 'unknown') return { verdict: 'unknown' };
    const session = parseSession(envelope, appOfSession(sessionId) ?? '', sessionId, toRecord(record));
    return { verdict: verdict as Known, session };
  };

  const seal = (sessionId: string, link: CodeLink): string =>
    sealLink(envelope, appOfSession(sessionId) ?? '', sessionId, link);

  return {
    async receiveCode(sessionId, number, code, holdMs) {
      // It ends with its session, which the store knows.
      const sealed = seal(sessionId, { grant: 'authorization_code', number, expiresAt: 0, received: code });
      const fingerprint = createHash('sha256').update(code.code).digest('base64url');
      return verdictOf(sessionId, await run(receiveCodeScript, sessionId, number, sealed, fingerprint, holdMs));
    },

    async dropCode(sessionId, link, detail) {
      const sealed = seal(sessionId, { ...link, received: null });
      return (await run(dropCodeScript, sessionId, link.number, sealed, JSON.stringify(detail))) === 1;
    },

    async refuseLink(sessionId, number) {
      return verdictOf(sessionId, await run(refuseLinkScript, sessionId, number));
    },
  };
}
