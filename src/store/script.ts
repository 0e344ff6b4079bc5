/** One Lua script: sent by its SHA-1, with its text once when Redis does not know it (also after a restart of Redis). */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';

export type ScriptArgument = string | number | Buffer;

export type Script = (redis: Redis, keys: readonly string[], args: readonly ScriptArgument[]) => Promise<unknown>;

export function defineScript(lua: string): Script {
  const sha = createHash('sha1').update(lua).digest('hex');
  return async (redis, keys, args) => {
    gatherWrites(redis);
    try {
      return await redis.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return await redis.eval(lua, keys.length, ...keys, ...args);
    }
  };
}

/** Calls of one turn of the event loop leave in one write: of many clicks at once, each costs a system call less. */
export function gatherWrites({ stream }: { readonly stream: Redis['stream'] | undefined }): void {
  // Not there before the first connection.
  if (stream === undefined || stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}
