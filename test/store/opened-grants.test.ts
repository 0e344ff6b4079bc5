/** What was opened once is served again only for the very same sealed bytes: alone, and in the vault over a real Redis. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Envelope } from '../../src/store/envelope.js';
import { createGrantVault } from '../../src/store/grant-vault.js';
import { createOpenedGrants } from '../../src/store/opened-grants.js';
import { APP, newStore, tokens, USER } from './new-store.js';

const grant = (accessToken: string, generation = 7) => ({
  generation,
  grant: { tokens: tokens({ accessToken }), authorizedAt: 1, clientIds: ['reports'] },
});
const VALUE = Buffer.from('7:sealed');

describe('opened grants', () => {
  it('are kept from the second time on, for the same bytes under the same key only', () => {
    const opened = createOpenedGrants();
    opened.keep('a', VALUE, grant('x'));
    assert.equal(opened.recall('a', VALUE), null);
    opened.keep('a', VALUE, grant('x'));
    assert.equal(opened.recall('a', Buffer.from(VALUE))?.grant.tokens.accessToken, 'x');
    assert.equal(opened.recall('b', VALUE), null);
    assert.equal(opened.recall('a', Buffer.from('7:sealeD')), null);
    assert.equal(opened.recall('a', VALUE), null, 'the value has changed: what it was is over');
  });

  it('are not changed with the buffer that their value came in', () => {
    const opened = createOpenedGrants();
    const received = Buffer.from(VALUE);
    for (let i = 0; i < 2; i += 1) opened.keep('a', received, grant('x'));
    received.fill(0);
    assert.equal(opened.recall('a', received), null);
  });

  it('are forgotten when told so, and beyond the bound the one that was not read for longest', () => {
    const opened = createOpenedGrants(2);
    for (const key of ['a', 'b']) for (let i = 0; i < 2; i += 1) opened.keep(key, VALUE, grant(key));
    opened.recall('a', VALUE);
    for (let i = 0; i < 2; i += 1) opened.keep('c', VALUE, grant('c'));
    assert.deepEqual(
      ['a', 'b', 'c'].map((key) => opened.recall(key, VALUE)?.grant.tokens.accessToken),
      ['a', undefined, 'c'],
    );
    opened.drop('a');
    assert.equal(opened.recall('a', VALUE), null);
  });
});

/** A vault that counts what it opens, with a user's grant in the store. */
async function newReader(t: Pick<TestContext, 'after'>) {
  const store = await newStore(t);
  let count = 0;
  const envelope: Envelope = {
    ...store.envelope,
    open(sealed, context) {
      count += 1;
      return store.envelope.open(sealed, context);
    },
  };
  const vault = createGrantVault({ ...store, envelope, onDamaged: (error) => store.damaged.push(error.message) });
  const write = (accessToken: string, generation: number, openId = USER) =>
    store.redis.set(
      store.keys.grant(APP, openId),
      vault.seal(APP, openId, generation, grant(accessToken, generation).grant),
    );
  const read = async (openId = USER) => (await vault.look(APP, openId)).stored?.grant.tokens.accessToken ?? null;
  return { ...store, vault, write, read, opened: () => count };
}

describe('the vault', { concurrency: 2 }, () => {
  it('decrypts a value that is read again and again twice, not each time', async (t) => {
    const { opened, read, write } = await newReader(t);
    await write('first', 7);
    for (let i = 0; i < 10; i += 1) assert.equal(await read(), 'first');
    assert.equal(opened(), 2);
  });

  it('serves the successor, the same generation sealed anew, and nothing once it is forgotten', async (t) => {
    const { keys, read, redis, write } = await newReader(t);
    await write('first', 7);
    for (let i = 0; i < 3; i += 1) assert.equal(await read(), 'first');
    await write('second', 8);
    for (let i = 0; i < 3; i += 1) assert.equal(await read(), 'second');
    await write('third', 8);
    for (let i = 0; i < 3; i += 1) assert.equal(await read(), 'third');
    await redis.del(keys.grant(APP, USER));
    assert.equal(await read(), null);
  });

  it('puts a value aside that was changed or moved, also one whose original it has opened before', async (t) => {
    const { damaged, keys, read, redis, write } = await newReader(t);
    await write('hers', 7);
    await write('of another', 7, 'ou_other');
    for (let i = 0; i < 3; i += 1) assert.equal(`${await read()}, ${await read('ou_other')}`, 'hers, of another');
    await redis.copy(keys.grant(APP, USER), keys.grant(APP, 'ou_other'), 'REPLACE');
    assert.equal(await read('ou_other'), null);
    await redis.setrange(keys.grant(APP, USER), 60, 'x');
    assert.equal(await read(), null);
    assert.equal(damaged.length, 2);
  });
});
