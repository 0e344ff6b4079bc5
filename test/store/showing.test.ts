import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { APP, newStore } from './new-store.js';

describe('a session that is shown as messages, in the store', () => {
  it('keeps the form of the first message, and what was told by which', async (t) => {
    const store = await newStore(t);
    const id = await store.created();
    const first = await store.sessions.beginCard(id, 'a', 'link');
    assert.ok(first.kind === 'go' && first.session.shownAs === 'link' && first.session.said === null);
    const failed = { outcome: 'failed', version: 1, clicks: first.clicks } as const;
    assert.equal(await store.sessions.endCard(id, 'a', failed), 0);
    const second = await store.sessions.beginCard(id, 'a', 'card');
    assert.ok(second.kind === 'go' && second.session.shownAs === 'link', 'Feishu may have taken it as a message');
    const told = { outcome: 'told', version: 1, clicks: '0', messageId: 'om_1', said: 'link 1' } as const;
    assert.equal(await store.sessions.endCard(id, 'a', told), null);
    await store.sessions.invalidate(id);
    const third = await store.sessions.beginCard(id, 'a', 'card');
    assert.ok(third.kind === 'go');
    assert.deepEqual([third.session.messageId, third.session.said], ['om_1', 'link 1']);
    const end = { ...told, version: third.session.version, messageId: 'om_2', said: 'end' };
    assert.equal(await store.sessions.endCard(id, 'a', end), null);
    const session = await store.sessions.get(id);
    assert.deepEqual([session?.messageId, session?.said], ['om_1', 'end']);
    assert.deepEqual(await store.sessions.open(APP, null, 10), []);
  });

  it('tells the next news after one that came while another was being told', async (t) => {
    const store = await newStore(t);
    const id = await store.created();
    const begun = await store.sessions.beginCard(id, 'a', 'link');
    assert.ok(begun.kind === 'go');
    await store.sessions.invalidate(id);
    const told = { outcome: 'told', version: 1, clicks: '0', messageId: 'om_1', said: 'link 1' } as const;
    assert.equal(await store.sessions.endCard(id, 'a', told), 0);
    assert.equal((await store.sessions.beginCard(id, 'a', 'link')).kind, 'go');
    assert.equal(await store.sessions.endCard(id, 'a', { outcome: 'told', version: 2, clicks: '0' }), null);
  });

  it('takes a card for what it shows when the record is from before there were messages', async (t) => {
    const store = await newStore(t);
    const id = await store.created();
    await store.redis.hset(store.keys.session(APP, id), 'message_id', 'om_1');
    const begun = await store.sessions.beginCard(id, 'a', 'link');
    assert.ok(begun.kind === 'go' && begun.session.shownAs === 'card');
  });

  it('does not take the silence of those who have nothing to click for lost clicks', async (t) => {
    const store = await newStore(t);
    for (const [kind, unclicked] of [
      ['link', 0],
      ['card', 1],
    ] as const) {
      const id = await store.created({ openId: `ou_${kind}` });
      await store.sessions.beginCard(id, 'a', kind);
      await store.redis.hset(store.keys.session(APP, id), 'expires_at', 1);
      assert.deepEqual(await store.sessions.expire(id), { leftMs: 0, unclicked });
    }
  });
});
