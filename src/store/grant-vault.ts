/**
 * The vault: one value per user and app, `<generation>:<sealed token set>`. The generation is in the associated data,
 * so an older copy put back under a newer generation does not open. Also the tokens of a consent that is not verified
 * yet; they lie under their session's own key and are never served.
 */
import type { Redis } from 'ioredis';
import type { Grant, GrantView, StoredGrant } from '../domain/grant.js';
import { grantEndsAt } from '../domain/refresh-plan.js';
import type { FailureDetail } from '../domain/session.js';
import { appOfSession } from '../domain/session-id.js';
import type { TokenSet } from '../domain/token-set.js';
import { AuthdError } from '../errors.js';
import type { Envelope, SealContext } from './envelope.js';
import { createGrantLooks } from './grant-looks.js';
import { parseMarks } from './grant-marks.js';
import type { StoreKeys } from './keys.js';
import { createOpenedGrants } from './opened-grants.js';
import { defineScript } from './script.js';
import { keepTokensScript, settleScript } from './scripts/linking.js';

export interface SettleInput {
  readonly sessionId: string;
  readonly openId: string;
  readonly grant: Grant;
  /** The generation that `read` gave (0: none). */
  readonly generation: number;
  readonly now: number;
  readonly missingScopes: readonly string[];
  /** Shown when scopes are missing. */
  readonly missingDetail: FailureDetail;
  /** When to look at the grant first; null: it can not be renewed. */
  readonly dueAt: number | null;
}

export type GrantVault = ReturnType<typeof createGrantVault>;

export interface GrantVaultDeps {
  readonly redis: Redis;
  readonly keys: StoreKeys;
  readonly envelope: Envelope;
  /** Told of each damaged record, after it was put aside. */
  readonly onDamaged: (error: AuthdError) => void;
}

/**
 * Puts a damaged value aside unless it has changed meanwhile; a grant leaves the sorted set of grants. KEYS: its key.
 * ARGV: the value, the key it is kept under.
 */
export const putAsideScript = defineScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('RENAME', KEYS[1], ARGV[2])
local base, user = string.match(KEYS[1], '^(.+}):grant:([^:]+)$')
if base then redis.call('ZREM', base .. ':grants', user) end
return 1
`);

export function createGrantVault(deps: GrantVaultDeps) {
  const { redis, keys, envelope } = deps;
  const lookAt = createGrantLooks(redis, keys);
  const openedGrants = createOpenedGrants();

  /** A value that does not open is kept under another name, never deleted, and counts as none from then on. */
  const openOrPutAside = async (key: string, value: Buffer, context: SealContext): Promise<string | null> => {
    const { generation, sealed } = split(value);
    try {
      return envelope.open(sealed, { ...context, generation });
    } catch (error) {
      if (!(error instanceof AuthdError) || error.code !== 'record_damaged') throw error;
      await putAsideScript(redis, [key], [value, `${key}:damaged:${generation}`]);
      deps.onDamaged(error);
      return null;
    }
  };

  const open = async (appId: string, openId: string, value: Buffer | null): Promise<StoredGrant | null> => {
    const key = keys.grant(appId, openId);
    if (value === null) {
      openedGrants.drop(key);
      return null;
    }
    const known = openedGrants.recall(key, value);
    if (known !== null) return known;
    const context = { appId, owner: openId, purpose: 'grant', generation: 0 } as const;
    const opened = await openOrPutAside(key, value, context);
    if (opened === null) return null;
    const stored = { generation: split(value).generation, grant: JSON.parse(opened) as Grant };
    openedGrants.keep(key, value, stored);
    return stored;
  };

  return {
    async read(appId: string, openId: string): Promise<StoredGrant | null> {
      return await open(appId, openId, await redis.getBuffer(keys.grant(appId, openId)));
    },

    async look(appId: string, openId: string): Promise<GrantView> {
      const { marks, now, value } = await lookAt(appId, openId);
      const stored = await open(appId, openId, value);
      return { now, stored, marks: parseMarks(marks, stored?.generation ?? 0) };
    },

    /** The value of a generation, to be written by a script. */
    seal(appId: string, openId: string, generation: number, grant: Grant): Buffer {
      return join(
        generation,
        envelope.seal(JSON.stringify(grant), { appId, owner: openId, purpose: 'grant', generation }),
      );
    },

    /**
     * Keeps fresh tokens at once under the session's own key. `dropped`: she declined or an operator ended the
     * session meanwhile; `unknown`: there is no such session.
     */
    async keep(sessionId: string, linkNumber: number, tokens: TokenSet): Promise<'kept' | 'dropped' | 'unknown'> {
      const appId = appOfSession(sessionId) ?? '';
      const sealed = envelope.seal(JSON.stringify(tokens), {
        appId,
        owner: sessionId,
        purpose: 'session-tokens',
        generation: linkNumber,
      });
      const reply = await keepTokensScript(redis, [keys.base(appId)], [sessionId, join(linkNumber, sealed)]);
      return reply === 'kept' || reply === 'dropped' ? reply : 'unknown';
    },

    /**
     * The tokens that wait to be verified; null when there are none. They may have come by an older link than the
     * session has now: a poll may still be under way when the next link is asked for.
     */
    async kept(sessionId: string): Promise<TokenSet | null> {
      const appId = appOfSession(sessionId) ?? '';
      const value = await redis.getBuffer(`${keys.session(appId, sessionId)}:tokens`);
      if (value === null) return null;
      const context = { appId, owner: sessionId, purpose: 'session-tokens', generation: 0 } as const;
      const opened = await openOrPutAside(`${keys.session(appId, sessionId)}:tokens`, value, context);
      return opened === null ? null : (JSON.parse(opened) as TokenSet);
    },

    /**
     * The right user consented: her grant and the session's end in one step. `conflict`: the grant has changed since
     * it was read; `stale`: somebody else has settled it.
     */
    async settle(input: SettleInput): Promise<'done' | 'conflict' | 'stale'> {
      const { sessionId, openId, grant } = input;
      const appId = appOfSession(sessionId) ?? '';
      const generation = Math.max(input.now, input.generation + 1);
      const sealed = envelope.seal(JSON.stringify(grant), { appId, owner: openId, purpose: 'grant', generation });
      const reply = await settleScript(
        redis,
        [keys.base(appId)],
        [
          sessionId,
          input.generation,
          join(generation, sealed),
          grant.tokens.scopes.join(' '),
          input.missingScopes.join(' '),
          JSON.stringify(input.missingDetail),
          input.dueAt ?? '',
          grantEndsAt(grant),
        ],
      );
      const verdict = Array.isArray(reply) ? reply[0] : null;
      return verdict === 'done' || verdict === 'conflict' ? verdict : 'stale';
    },
  };
}

/** `<generation>:<sealed>`: what it was sealed for stands in front of it. */
const join = (generation: number, sealed: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${generation}:`, 'ascii'), sealed]);

function split(value: Buffer): { readonly generation: number; readonly sealed: Buffer } {
  const colon = value.indexOf(0x3a);
  return { generation: Number(value.subarray(0, colon).toString('ascii')), sealed: value.subarray(colon + 1) };
}
