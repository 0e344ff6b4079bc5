/** Faults of Redis, the spool and the keyring. */
import { grant, refreshNow } from '../../../support/grants.js';
import { newPerson } from '../../../support/steps.js';
import type { Scenario } from '../scenario.js';

export const notPersistent: Scenario = {
  name: 'not-persistent',
  alerts: ['RedisPersistenceOff'],
  fault: 'CONFIG SET appendonly no',
  healing: 'CONFIG SET appendonly yes',
  async make({ scene: { redis } }) {
    await redis.client.config('SET', 'appendonly', 'no');
    return async () => {
      await redis.client.config('SET', 'appendonly', 'yes');
    };
  },
};

export const redisFull: Scenario = {
  name: 'redis-full',
  alerts: ['SpoolNotEmpty'],
  fault: 'Redis was out of memory (CONFIG SET maxmemory 1) when the answer to a refresh came',
  healing: 'CONFIG SET maxmemory 0',
  alone: true,
  async make({ scene }) {
    const { redis, sim } = scene;
    const person = newPerson(scene, 'Qian Yu');
    await grant(scene, { person });
    const refresh = { on: 'api', api: 'token', grant: 'refresh_token', openId: person.openId } as const;
    const hold = sim.faults.add({ ...refresh, kind: 'hold', times: 1 });
    const held = sim.waitFor('call.held');
    const answered = refreshNow(scene, person.openId);
    await held;
    await redis.client.config('SET', 'maxmemory', '1');
    hold.release();
    await answered;
    return async () => {
      await redis.client.config('SET', 'maxmemory', '0');
    };
  },
};

export const redisAway: Scenario = {
  name: 'redis-away',
  alerts: ['RedisAway'],
  fault: 'redis-server was killed (SIGKILL)',
  healing: 'it was started again with its data',
  alone: true,
  async make({ scene: { daemon, redis } }) {
    await redis.kill();
    return async () => {
      await redis.start();
      await daemon.readiness(200, 60_000);
    };
  },
};

export const keyMissing: Scenario = {
  name: 'key-missing',
  alerts: ['EncryptionKeyMissing'],
  fault: 'the worker was restarted with a new key in front that the gateways do not have',
  healing: 'the gateways were restarted with both keys',
  alone: true,
  async make(stage) {
    await stage.restart('worker', stage.newRing);
    return async () => {
      for (const part of ['gateway', 'spare'] as const) await stage.restart(part, stage.newRing);
    };
  },
};
