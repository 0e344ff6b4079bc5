/**
 * The sessions in Redis. Every move is one atomic script, the first legal one wins; each method says what came of it.
 * A session that has something left to be done stands in `open` until a message shows its end (ARCHITECTURE §3.1).
 *
 * Errors: whatever ioredis throws when Redis does not answer; `record_damaged` and `key_mismatch` from the envelope.
 */
import type { Redis } from 'ioredis';
import type { CardKind } from '../config/config.js';
import { MAX_SCOPES } from '../domain/scopes.js';
import type { ConsentLink, DeviceLink, FailureDetail, FailureReason, Session } from '../domain/session.js';
import { MAX_MISMATCHES } from '../domain/session.js';
import { appOfSession } from '../domain/session-id.js';
import type { Envelope } from './envelope.js';
import type { StoreKeys } from './keys.js';
import { COMMAND_TIMEOUT_MS } from './redis.js';
import type { Script, ScriptArgument } from './script.js';
import * as asking from './scripts/asking.js';
import * as clicking from './scripts/clicking.js';
import * as linking from './scripts/linking.js';
import * as showing from './scripts/showing.js';
import type {
  BeginCard,
  BeginPoll,
  CardResult,
  ClickInput,
  ClickOutcome,
  CreateOutcome,
  NewSession,
} from './session-moves.js';
import { parseSession, type RawRecord, sealLink, sealText, toRecord } from './session-record.js';

/** Clicks older than this are replays: callbacks are never redelivered (FEISHU.md §2.5). */
const MAX_CLICK_AGE_MS = 10 * 60_000;
/** A link that is not there after this long may be asked for again. */
const LINK_CLAIM_MS = 60_000;
/** How long PATCHes keep clear of a click whose ack nobody reports. Longer than the ack budget, shorter than Feishu's 3 s + margin. */
const HOLD_MS = 3_500;
/** A lock whose owner has not heard of it. No longer than a command may take, so that keeping it is never too late. */
const CARD_CLAIM_MS = COMMAND_TIMEOUT_MS;
/** Longer than any update of a message takes, its timeouts included. */
const CARD_LOCK_MS = 30_000;
/** A PATCH without an answer may be applied this much later; the state is shown once more after it. */
const LATE_PATCH_MS = 10_000;
/** Polls go on for this long after the link's end by our clock. */
const LINK_MARGIN_MS = 2_000;

export type SessionStore = ReturnType<typeof createSessionStore>;

export function createSessionStore(deps: { redis: Redis; keys: StoreKeys; envelope: Envelope }) {
  const { redis, keys, envelope } = deps;

  const run = (script: Script, appId: string, ...args: readonly ScriptArgument[]): Promise<unknown> =>
    script(redis, [keys.base(appId)], args);

  /** Runs a script on the session's own app; ids that are not ours touch nothing. */
  const runOn = async (script: Script, sessionId: string, ...args: readonly ScriptArgument[]): Promise<unknown> => {
    const appId = appOfSession(sessionId);
    return appId === null ? null : await run(script, appId, sessionId, ...args);
  };

  const parse = (sessionId: string, raw: RawRecord): Session =>
    parseSession(envelope, appOfSession(sessionId) ?? '', sessionId, raw);

  const get = async (sessionId: string): Promise<Session | null> => {
    const appId = appOfSession(sessionId);
    if (appId === null) return null;
    const raw = await redis.hgetall(keys.session(appId, sessionId));
    return raw['state'] === undefined ? null : parse(sessionId, raw);
  };

  const redisNow = async (): Promise<number> => {
    const [seconds, micros] = await redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  };

  return {
    get,

    /** Idempotent by session id. */
    async create(input: NewSession): Promise<CreateOutcome> {
      const text = sealText(envelope, input.appId, input.sessionId, input);
      const reply = asList(
        await run(
          asking.createScript,
          input.appId,
          input.sessionId,
          input.clientId,
          input.openId,
          input.scopes.join(' '),
          text,
          input.chatId ?? '',
          input.ttlMs,
          input.cardLimitPerHour,
          MAX_SCOPES,
        ),
      );
      if (reply[0] === 'limited') return { kind: 'limited', retryAfterMs: Number(reply[1]) };
      if (reply[0] === 'too_many') return { kind: 'too_many' };
      const sessionId = String(reply[1]);
      if (reply[0] === 'live') return { kind: 'live', sessionId, resend: reply[2] === 1 };
      const how = reply[3] === 'expired' ? 'expired' : 'superseded';
      return { kind: 'created', sessionId, ended: reply[2] ? { sessionId: String(reply[2]), how } : null };
    },

    /** Continues an ended session under a new id on the same message; says which session goes on. Null: it has not ended. */
    async restart(old: Session, sessionId: string, ttlMs: number): Promise<string | null> {
      const text = sealText(envelope, old.appId, sessionId, old);
      const reply = asList(await run(asking.restartScript, old.appId, sessionId, old.sessionId, text, ttlMs));
      return reply[0] === 'stale' ? null : String(reply[1]);
    },

    async click(input: ClickInput): Promise<ClickOutcome> {
      const reply = asList(
        await runOn(
          clicking.clickScript,
          input.sessionId,
          input.operatorOpenId,
          input.action,
          input.messageId ?? '',
          input.createdAt ?? 0,
          input.holdOwner,
          HOLD_MS,
          MAX_CLICK_AGE_MS,
          LINK_CLAIM_MS,
        ),
      );
      const verdict = (reply[0] ?? 'unknown') as ClickOutcome['verdict'];
      if (verdict === 'foreign') return { verdict, askedOpenId: String(reply[1]) };
      if (verdict === 'unknown' || verdict === 'gone' || verdict === 'too_old') return { verdict };
      const session = parse(input.sessionId, toRecord(reply[1]));
      if (verdict === 'check') return { verdict, session, askInMs: Number(reply[2]) };
      return { verdict, session, expiredNow: reply[3] === 1 };
    },

    /** The ack left; `shownVersion` is what its card showed (0: no card). True: the message is behind its session. */
    async acked(sessionId: string, holdOwner: string, shownVersion: number): Promise<boolean> {
      return (await runOn(clicking.ackedScript, sessionId, holdOwner, shownVersion, HOLD_MS)) === 1;
    },

    /** `lifeMs` 0: it lives as long as its session. False: that link is not wanted any more. */
    async storeLink(sessionId: string, link: ConsentLink, lifeMs: number): Promise<boolean> {
      const sealed = sealLink(envelope, appOfSession(sessionId) ?? '', sessionId, link);
      return (await runOn(linking.storeLinkScript, sessionId, link.number, sealed, Math.round(lifeMs))) === 1;
    },

    async releaseLink(sessionId: string, number: number): Promise<boolean> {
      return (await runOn(linking.releaseLinkScript, sessionId, number)) === 1;
    },

    /** Writes the intent; `pollMs`: longest time the poll may take. */
    async beginPoll(sessionId: string, number: number, pollMs: number): Promise<BeginPoll> {
      const reply = asList(await runOn(linking.beginPollScript, sessionId, number, pollMs, LINK_MARGIN_MS));
      const kind = reply[0];
      if (kind !== 'poll' && kind !== 'settle') return { kind: kind === 'dead' ? 'dead' : 'stale' };
      const session = parse(sessionId, toRecord(reply[1]));
      const now = Number(reply[2]);
      return kind === 'poll' ? { kind, session, now, waiting: Number(reply[3]) } : { kind, session, now };
    },

    /** The poll brought no tokens; the next one keeps the interval of the link, which may have `grown`. */
    async endPoll(sessionId: string, link: DeviceLink, options: { readonly grown: boolean }): Promise<void> {
      const sealed = options.grown ? sealLink(envelope, appOfSession(sessionId) ?? '', sessionId, link) : '';
      await runOn(linking.endPollScript, sessionId, link.number, link.intervalSeconds * 1000, sealed);
    },

    async linkDead(sessionId: string, number: number): Promise<boolean> {
      return (await runOn(linking.linkDeadScript, sessionId, number)) === 1;
    },

    async reject(sessionId: string, number: number): Promise<boolean> {
      return (await runOn(linking.rejectScript, sessionId, number)) === 1;
    },

    async markConfirming(sessionId: string): Promise<boolean> {
      return (await runOn(linking.confirmingScript, sessionId)) === 1;
    },

    /** The number of mismatches so far; 0: nothing was waiting to be verified. */
    async mismatch(sessionId: string, detail: FailureDetail): Promise<number> {
      return Number(await runOn(linking.mismatchScript, sessionId, MAX_MISMATCHES, JSON.stringify(detail)));
    },

    /** Kept tokens that can not be verified go; a live session offers a new link. */
    async dropTokens(sessionId: string): Promise<void> {
      await runOn(linking.dropTokensScript, sessionId);
    },

    async fail(
      sessionId: string,
      reason: FailureReason,
      detail: FailureDetail,
      options: { readonly cardGone?: boolean } = {},
    ): Promise<boolean> {
      const gone = options.cardGone === true ? 1 : 0;
      return (await runOn(asking.failScript, sessionId, reason, JSON.stringify(detail), gone)) === 1;
    },

    /**
     * `leftMs` 0: expired now; positive: look again after so long; -1: nothing to expire. `unclicked`: sessions of the
     * app that have expired without a click since the last click of anybody.
     */
    async expire(sessionId: string): Promise<{ leftMs: number; unclicked: number }> {
      const reply = asList(await runOn(asking.expireScript, sessionId));
      return { leftMs: Number(reply[0] ?? -1), unclicked: Number(reply[1] ?? 0) };
    },

    /** The session as it is afterwards, and whether this call ended it. */
    async invalidate(sessionId: string): Promise<{ session: Session; ended: boolean } | null> {
      const ended = (await runOn(asking.invalidateScript, sessionId)) === 1;
      const session = await get(sessionId);
      return session === null ? null : { session, ended };
    },

    /** `kind`: how its user is asked, unless a first message has gone out before; left out: not known here. */
    async beginCard(sessionId: string, owner: string, kind?: CardKind): Promise<BeginCard> {
      const reply = asList(await runOn(showing.beginCardScript, sessionId, owner, CARD_CLAIM_MS, kind ?? ''));
      switch (reply[0]) {
        case 'go': {
          const kept = await runOn(showing.keepCardScript, sessionId, owner, CARD_LOCK_MS);
          if (kept !== 1) return { kind: 'busy', waitMs: 0 };
          const raw = toRecord(reply[1]);
          return { kind: 'go', session: parse(sessionId, raw), clicks: raw['clicks'] ?? '0' };
        }
        case 'notice':
          return { kind: 'notice', session: parse(sessionId, toRecord(reply[1])) };
        case 'held':
        case 'busy':
          return { kind: reply[0], waitMs: Math.max(0, Number(reply[1])) };
        case 'moved':
          return { kind: 'moved', sessionId: String(reply[1]) };
        default:
          return { kind: 'done', ended: reply[1] === 1 };
      }
    },

    /** Null: the message shows the session's state; else after how many milliseconds to update it again. */
    async endCard(sessionId: string, owner: string, result: CardResult): Promise<number | null> {
      const { outcome, version, clicks, messageId = '', said = '' } = result;
      const again = Number(
        await runOn(showing.endCardScript, sessionId, owner, outcome, version, clicks, messageId, LATE_PATCH_MS, said),
      );
      return again < 0 ? null : again;
    },

    /** The group has got its notice. */
    async noticed(sessionId: string): Promise<void> {
      await redis.hset(keys.session(appOfSession(sessionId) ?? '', sessionId), 'noticed', 1);
    },

    /** Sessions with something left to be done that were not touched for `quietMs` (null: all); at most `limit` (null: all). */
    async open(appId: string, quietMs: number | null, limit: number | null): Promise<string[]> {
      const until = quietMs === null ? '+inf' : (await redisNow()) - quietMs;
      return await redis.zrangebyscore(`${keys.base(appId)}:open`, '-inf', until, 'LIMIT', 0, limit ?? -1);
    },

    /** The reconciler has looked at it and comes again after so long, or soon after its next change. */
    async lookAgain(sessionId: string, inMs: number): Promise<void> {
      const base = keys.base(appOfSession(sessionId) ?? '');
      await redis.zadd(`${base}:open`, 'XX', (await redisNow()) + inMs, sessionId);
    },

    /** Deletes sessions that ended more than `olderThanMs` ago; how many. */
    async cleanup(appId: string, olderThanMs: number, signal?: AbortSignal): Promise<number> {
      const batch = 200;
      let deleted = 0;
      for (;;) {
        const count = Number(await run(asking.cleanupScript, appId, olderThanMs, batch));
        deleted += count;
        if (count < batch || signal?.aborted === true) return deleted;
      }
    },
  };
}

const asList = (reply: unknown): readonly unknown[] => (Array.isArray(reply) ? reply : []);
