/** Counting what one connection asks of Redis among all that MONITOR shows. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Redis } from 'ioredis';
import { newRedisServer } from '../support/redis-server.js';
import { addressesOf, countCommands, createCommandCounter } from './redis-commands.js';

describe('counting commands', () => {
  it('knows the connections of a name by CLIENT LIST', () => {
    const list = [
      'id=3 addr=127.0.0.1:4001 laddr=127.0.0.1:1 fd=8 name=feishu-authd-store age=1',
      'id=4 addr=127.0.0.1:4002 laddr=127.0.0.1:1 fd=9 name=feishu-authd-storehouse age=1',
      'id=5 addr=127.0.0.1:4003 laddr=127.0.0.1:1 fd=9 name= age=1',
    ].join('\n');
    assert.deepEqual([...addressesOf(list, 'feishu-authd-store')], ['127.0.0.1:4001']);
  });

  it('counts what scripts run for the connection that has sent the script', () => {
    const counter = createCommandCounter(new Set(['ours']));
    for (const source of ['ours', 'lua', 'lua', 'theirs', 'lua', 'ours']) counter.see(source);
    assert.deepEqual(counter.counts(), { sent: 2, inScripts: 2 });
  });

  it('counts over a real Redis, and nothing of others', async (t) => {
    const server = await newRedisServer();
    t.after(() => server.close());
    const ours = new Redis(server.url, { connectionName: 'feishu-authd-store' });
    t.after(() => ours.disconnect());
    await ours.ping();
    const counts = await countCommands(server.client, async () => {
      for (let i = 0; i < 10; i += 1) {
        await ours.get('a');
        await ours.eval("redis.call('SET', KEYS[1], 1) return redis.call('GET', KEYS[1])", 1, 'b');
        await server.client.get('a');
      }
    });
    assert.deepEqual(counts, { sent: 20, inScripts: 20 });
  });
});
