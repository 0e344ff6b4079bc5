/**
 * One connection to Redis for a look by hand: one attempt, every wait bounded, and a plain reason when there is none.
 * The daemon's own connections, which never give up, are redis.ts's.
 */
import { Redis } from 'ioredis';
import { isDnsCode, isTlsCode } from '../domain/network-codes.js';

/** `refused`: it answers, but with something else than what was asked, such as LOADING. */
export type RedisTrouble = 'dns' | 'unreachable' | 'silent' | 'credentials' | 'refused' | 'tls' | 'no_redis';

export type RedisContact =
  /** `ms`: from a command to its answer. */
  | { readonly ok: true; readonly redis: Redis; readonly ms: number }
  | { readonly ok: false; readonly trouble: RedisTrouble; readonly code: string };

/** Never rejects. `redis` is the caller's to disconnect. */
export async function connectOnce(url: string, timeoutMs: number): Promise<RedisContact> {
  const errors: Error[] = [];
  const redis = new Redis(url, {
    connectionName: 'feishu-authd-doctor',
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    retryStrategy: () => null,
  });
  redis.on('error', (error: Error) => errors.push(error));
  try {
    await redis.connect();
    const startedAt = performance.now();
    await redis.ping();
    return { ok: true, redis, ms: Math.round(performance.now() - startedAt) };
  } catch (error) {
    redis.disconnect();
    // What connect() rejects with only says that there is no connection.
    return { ok: false, ...troubleOf(errors.find(isForeign) ?? errors[0] ?? error) };
  }
}

const CREDENTIALS = new Set(['NOAUTH', 'WRONGPASS', 'NOPERM']);

/** The parser met something else than Redis's protocol; what follows from that comes as errors of the socket. */
const isForeign = (error: unknown): boolean => error instanceof Error && error.message.startsWith('Unknown RESP type');

/** Messages may quote bytes that somebody else on the port has sent: only codes are taken over. */
function troubleOf(error: unknown): { readonly trouble: RedisTrouble; readonly code: string } {
  if (!(error instanceof Error)) return { trouble: 'unreachable', code: 'unknown error' };
  if (isForeign(error)) return { trouble: 'no_redis', code: 'no RESP' };
  if (/Command timed out|Socket timeout/.test(error.message)) return { trouble: 'silent', code: 'timeout' };
  const answered = /^[A-Z]{3,}\b/.exec(error.message)?.[0];
  if (error.name === 'ReplyError' && answered !== undefined) {
    return { trouble: CREDENTIALS.has(answered) ? 'credentials' : 'refused', code: answered };
  }
  const code = 'code' in error ? String(error.code) : error.name;
  if (isDnsCode(code)) return { trouble: 'dns', code };
  return { trouble: isTlsCode(code) ? 'tls' : 'unreachable', code };
}
