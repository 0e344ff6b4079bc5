/** Many look at grants at once: each gets her own, together they cost Redis little, and one's trouble is not another's. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createGrantLooks } from '../../src/store/grant-looks.js';
import { APP, newStore } from './new-store.js';

const OTHER_APP = 'cli_fedcba9876543210';

describe('looking at grants', { concurrency: 2 }, () => {
  it('tells each who looks of her own grant, of whatever app, however many look at once', async (t) => {
    const { keys, redis } = await newStore(t);
    const lookAt = createGrantLooks(redis, keys);
    const users = Array.from({ length: 150 }, (_, i) => ({ appId: i % 2 === 0 ? APP : OTHER_APP, openId: `ou_${i}` }));
    for (const [i, { appId, openId }] of users.entries()) {
      if (i % 3 !== 0) await redis.set(keys.grant(appId, openId), Buffer.from([i, 0xff, 0x00]));
      if (i % 5 === 0) await redis.hset(`${keys.grant(appId, openId)}:state`, 'used_at', i);
    }
    const before = Date.now();
    const looks = await Promise.all(users.map(({ appId, openId }) => lookAt(appId, openId)));
    for (const [i, { marks, now, value }] of looks.entries()) {
      assert.deepEqual(value, i % 3 === 0 ? null : Buffer.from([i, 0xff, 0x00]));
      assert.deepEqual({ ...marks }, i % 5 === 0 ? { used_at: String(i) } : {});
      assert.ok(now >= before - 5 && now <= Date.now() + 5, 'milliseconds of the clock of Redis, here also ours');
    }
  });

  it('asks for all values and the time once, where many look in the same turn', async (t) => {
    const { keys, redis } = await newStore(t);
    const lookAt = createGrantLooks(redis, keys);
    await redis.config('RESETSTAT');
    await Promise.all(Array.from({ length: 50 }, (_, i) => lookAt(APP, `ou_${i}`)));
    const stats = await redis.info('commandstats');
    const calls = (command: string) => Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    assert.deepEqual([calls('mget'), calls('time'), calls('hgetall'), calls('get')], [1, 1, 50, 0]);
  });

  it('fails one look for a broken record beside a grant, and no other', async (t) => {
    const { keys, redis } = await newStore(t);
    const lookAt = createGrantLooks(redis, keys);
    await redis.set(keys.grant(APP, 'ou_well'), 'sealed');
    await redis.set(`${keys.grant(APP, 'ou_broken')}:state`, 'no hash');
    const broken = assert.rejects(() => lookAt(APP, 'ou_broken'), /WRONGTYPE/);
    assert.equal(String((await lookAt(APP, 'ou_well')).value), 'sealed');
    await broken;
  });

  it('fails every look while Redis is not there, and works again when it is', async (t) => {
    const { keys, redis } = await newStore(t);
    const lookAt = createGrantLooks(redis, keys);
    redis.disconnect();
    await Promise.all(['ou_a', 'ou_b'].map((openId) => assert.rejects(() => lookAt(APP, openId), /closed/)));
    await redis.connect();
    assert.equal((await lookAt(APP, 'ou_a')).value, null);
  });
});
