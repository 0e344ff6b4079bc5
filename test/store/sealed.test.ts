/** What is secret lies sealed, bound to its owner and its generation: envelope, vault, spool. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { createEnvelope, type SealContext } from '../../src/store/envelope.js';
import { createSpool } from '../../src/store/spool.js';
import { APP, DETAIL, newStore, tokens, USER } from './new-store.js';

const CONTEXT: SealContext = { appId: APP, owner: USER, purpose: 'grant', generation: 7 };
const key = (id: string) => ({ id, key: randomBytes(32) });
const silent = pino({ level: 'silent' });

describe('envelope', () => {
  it('opens what it sealed and never seals alike', () => {
    const envelope = createEnvelope([key('k1')]);
    const sealed = envelope.seal('token 令牌', CONTEXT);
    assert.equal(envelope.open(sealed, CONTEXT), 'token 令牌');
    assert.notDeepEqual(envelope.seal('token 令牌', CONTEXT), sealed);
  });

  it('opens for nobody else, for no other purpose, in no other generation', () => {
    const envelope = createEnvelope([key('k1')]);
    const sealed = envelope.seal('token', CONTEXT);
    const others: Partial<SealContext>[] = [
      { appId: 'cli_fedcba9876543210' },
      { owner: 'ou_other' },
      { purpose: 'session-tokens' },
      { generation: 6 },
    ];
    for (const other of others) {
      assert.throws(() => envelope.open(sealed, { ...CONTEXT, ...other }), { code: 'record_damaged' });
    }
  });

  it('notices any changed, missing or added byte', () => {
    const envelope = createEnvelope([key('k1')]);
    const sealed = envelope.seal('token', CONTEXT);
    for (let i = 0; i < sealed.length; i += 1) {
      const changed = Buffer.from(sealed);
      changed[i] = (changed[i] ?? 0) ^ 1;
      assert.throws(() => envelope.open(changed, CONTEXT), /does not open|not configured/, `byte ${i}`);
    }
    assert.throws(() => envelope.open(sealed.subarray(0, -1), CONTEXT));
    assert.throws(() => envelope.open(Buffer.alloc(0), CONTEXT));
  });

  it('opens with every key of the ring and names a key that is not in it', () => {
    const [k1, k2] = [key('k1'), key('k2')];
    const sealed = createEnvelope([k1]).seal('token', CONTEXT);
    assert.equal(createEnvelope([k2, k1]).open(sealed, CONTEXT), 'token');
    assert.throws(() => createEnvelope([k2]).open(sealed, CONTEXT), { code: 'key_mismatch', message: /"k1"/ });
    assert.throws(() => createEnvelope([key('k1')]).open(sealed, CONTEXT), { code: 'record_damaged' });
  });
});

describe('vault', { concurrency: 2 }, () => {
  it('serves no value that was moved to another user or put back from an older generation', async (t) => {
    const store = await newStore(t);
    const settle = async (openId: string, generation: number, now: number): Promise<void> => {
      const id = await store.linked(60_000, { openId });
      await store.vault.keep(id, 1, tokens());
      const grant = { tokens: tokens(), authorizedAt: now, clientIds: ['reports'] };
      const rest = { missingScopes: [], missingDetail: DETAIL, dueAt: null };
      assert.equal(await store.vault.settle({ sessionId: id, openId, grant, generation, now, ...rest }), 'done');
    };
    await settle(USER, 0, 1_000);
    const first = await store.redis.getBuffer(store.keys.grant(APP, USER));
    assert.ok(first);
    assert.equal((await store.vault.read(APP, USER))?.generation, 1_000);

    await store.redis.set(store.keys.grant(APP, 'ou_other'), first);
    assert.equal(await store.vault.read(APP, 'ou_other'), null);
    assert.equal(store.damaged.length, 1, 'it is told');
    const aside = await store.redis.getBuffer(`${store.keys.grant(APP, 'ou_other')}:damaged:1000`);
    assert.deepEqual(aside, first, 'and kept aside');

    const older = Buffer.concat([Buffer.from('2000:'), first.subarray(first.indexOf(':') + 1)]);
    await store.redis.set(store.keys.grant(APP, USER), older);
    assert.equal(await store.vault.read(APP, USER), null);
  });

  it('does not overwrite a grant that has changed since it was read', async (t) => {
    const store = await newStore(t);
    const id = await store.linked();
    await store.vault.keep(id, 1, tokens());
    const grant = { tokens: tokens(), authorizedAt: 1, clientIds: ['reports'] };
    const input = { sessionId: id, openId: USER, grant, now: 5, missingScopes: [], missingDetail: DETAIL, dueAt: null };
    assert.equal(await store.vault.settle({ ...input, generation: 3 }), 'conflict');
    assert.equal(await store.vault.settle({ ...input, generation: 0 }), 'done');
    assert.equal(await store.vault.settle({ ...input, generation: 0 }), 'stale', 'it is settled once');
  });
});

describe('spool', () => {
  it('keeps sealed entries in private files until they are taken, and unreadable ones for ever', async (t) => {
    const stateDir = await mkdtemp(join(tmpdir(), 'authd-test-spool-'));
    t.after(() => rm(stateDir, { recursive: true, force: true }));
    const spool = createSpool({ stateDir, envelope: createEnvelope([key('k1')]), logger: silent });
    await spool.prepare();
    assert.equal((await stat(stateDir)).mode & 0o777, 0o700);
    const sessionId = `as_0123456789abcdef_${'0'.repeat(32)}`;
    await spool.write({ sessionId, linkNumber: 1, tokens: tokens() });
    const folder = join(stateDir, 'spool');
    const [name = ''] = await readdir(folder);
    assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
    assert.ok(!(await readFile(join(folder, name))).includes('access-token-of-the-test'));

    await assert.rejects(() => spool.drain(() => Promise.reject(new Error('Redis is away'))));
    assert.equal((await readdir(folder)).length, 1, 'it goes only after it was taken');
    await writeFile(join(folder, name.replace('.sealed', '0.sealed')), 'rubbish');
    const taken: string[] = [];
    assert.equal(await spool.drain(() => Promise.resolve('hold')), 0);
    assert.ok(spool.holds(sessionId), 'what is held stays');
    const count = await spool.drain(async (entry) => {
      taken.push(entry.kind === 'grant' ? '' : (entry.tokens.refreshToken ?? ''));
      return 'drop';
    });
    assert.deepEqual([count, taken], [1, ['refresh-token-of-the-test']]);
    assert.equal((await readdir(folder)).length, 1, 'what does not open stays');
  });

  it('refuses to start without the key of an entry, and counts entries by key', async (t) => {
    const stateDir = await mkdtemp(join(tmpdir(), 'authd-test-spool-'));
    t.after(() => rm(stateDir, { recursive: true, force: true }));
    const [k1, k2] = [key('k1'), key('k2')];
    const open = (...ring: (typeof k1)[]) => createSpool({ stateDir, envelope: createEnvelope(ring), logger: silent });
    const sessionId = `as_0123456789abcdef_${'0'.repeat(32)}`;
    await open(k1).prepare();
    await open(k1).write({ sessionId, linkNumber: 1, tokens: tokens() });
    await open(k2, k1).write({ sessionId, linkNumber: 2, tokens: tokens() });
    await writeFile(join(stateDir, 'spool', '1-rubbish-1.sealed'), 'rubbish');
    assert.deepEqual(await open(k2, k1).keyUses(), { k1: 1, k2: 1 });
    await open(k2, k1).prepare();
    await assert.rejects(open(k2).prepare(), { code: 'key_mismatch', message: /"k1".*not configured/ });
  });
});
