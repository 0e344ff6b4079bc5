/**
 * The vault: one value per user and app, `<generation>:<sealed token set>`. The generation is in the associated data,
 * so an older copy put back under a newer generation does not open. Also the tokens of a consent that is not verified
 * yet; they lie under their session's own key and are never served.
 */
import type { Redis } from 'ioredis';
import type { AccessToken, GrantStatus } from '../domain/grant.js';
import type { FailureDetail } from '../domain/session.js';
import { appOfSession } from '../domain/session-id.js';
import type { TokenSet } from '../domain/token-set.js';
import { AuthdError } from '../errors.js';
import type { Envelope, SealContext } from './envelope.js';
import type { StoreKeys } from './keys.js';
import { defineScript } from './script.js';
import { keepTokensScript, settleScript } from './scripts/linking.js';

/** What is sealed of a grant. Times in milliseconds. */
export interface Grant {
  readonly tokens: TokenSet;
  /** When the user consented: 365 days later refreshing ends (FEISHU.md §6.2). */
  readonly authorizedAt: number;
  /** Clients whose sessions led to it. */
  readonly clientIds: readonly string[];
}

export interface StoredGrant {
  readonly generation: number;
  readonly grant: Grant;
}

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
 * Puts a damaged value aside unless it has changed meanwhile. KEYS: its key. ARGV: the value, the key it is kept under.
 */
const putAsideScript = defineScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('RENAME', KEYS[1], ARGV[2])
return 1
`);

export function createGrantVault(deps: GrantVaultDeps) {
  const { redis, keys, envelope } = deps;

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

  const read = async (appId: string, openId: string): Promise<StoredGrant | null> => {
    const value = await redis.getBuffer(keys.grant(appId, openId));
    if (value === null) return null;
    const context = { appId, owner: openId, purpose: 'grant', generation: 0 } as const;
    const opened = await openOrPutAside(keys.grant(appId, openId), value, context);
    return opened === null ? null : { generation: split(value).generation, grant: JSON.parse(opened) as Grant };
  };

  return {
    read,

    /** The grant as it may be shown. `now`: milliseconds. */
    async status(appId: string, openId: string, now: number): Promise<GrantStatus> {
      return statusOf(appId, openId, await read(appId, openId), now);
    },

    /** The grant and, while it is still alive, its access token. */
    async accessToken(
      appId: string,
      openId: string,
      now: number,
    ): Promise<{ grant: GrantStatus; token: AccessToken | null }> {
      const stored = await read(appId, openId);
      const grant = statusOf(appId, openId, stored, now);
      if (stored === null || stored.grant.tokens.expiresAt <= now) return { grant, token: null };
      const { accessToken, tokenType, expiresAt, expiresIn, scopes } = stored.grant.tokens;
      return { grant, token: { accessToken, tokenType, expiresAt, expiresIn, scopes } };
    },

    async forget(appId: string, openId: string): Promise<void> {
      await redis.del(keys.grant(appId, openId));
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

function statusOf(appId: string, openId: string, stored: StoredGrant | null, now: number): GrantStatus {
  if (stored === null) {
    return {
      status: 'none',
      appId,
      openId,
      scopes: [],
      expiresAt: null,
      refreshExpiresAt: null,
      authorizedAt: null,
      renewable: false,
      clientIds: [],
    };
  }
  const { tokens, authorizedAt, clientIds } = stored.grant;
  return {
    // Until grants are refreshed, one whose access token has ended needs a new consent.
    status: tokens.expiresAt > now ? 'active' : 'reauthorization_required',
    appId,
    openId,
    scopes: tokens.scopes,
    expiresAt: tokens.expiresAt,
    refreshExpiresAt: tokens.refreshExpiresAt,
    authorizedAt,
    renewable: tokens.refreshToken !== null,
    clientIds,
  };
}
