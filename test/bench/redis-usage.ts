/** What a Redis has done and holds, by its own INFO. */
import type { Redis } from 'ioredis';

export interface RedisUsage {
  /** Commands so far, those in scripts included. */
  readonly commands: number;
  /** Processor time so far, milliseconds. */
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

export async function redisUsage(redis: Redis): Promise<RedisUsage> {
  const info = `${await redis.info('stats')}${await redis.info('cpu')}${await redis.info('memory')}`;
  const field = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]);
  return {
    commands: field('total_commands_processed'),
    cpuMs: (field('used_cpu_user') + field('used_cpu_sys')) * 1000,
    memoryBytes: field('used_memory'),
  };
}
