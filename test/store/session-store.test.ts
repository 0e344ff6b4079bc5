import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newSessionId } from '../../src/domain/session-id.js';
import { APP, click, DETAIL, link, newStore, tokens, USER } from './new-store.js';

const grantOf = (clientIds: readonly string[]) => ({ tokens: tokens(), authorizedAt: 1, clientIds });

describe('session store', { concurrency: 4 }, () => {
  it('creates once per id, finds the live session that covers a request, widens by superseding', async (t) => {
    const store = await newStore(t);
    const sessionId = newSessionId(APP, Date.now());
    const both = await Promise.all([store.create({ sessionId }), store.create({ sessionId })]);
    assert.deepEqual(
      both.map((outcome) => outcome.kind),
      ['created', 'created'],
    );
    const same = await store.create({ scopes: ['a'] });
    assert.deepEqual(same, { kind: 'live', sessionId, resend: false });
    const wider = await store.create({ scopes: ['b'] });
    assert.ok(wider.kind === 'created' && wider.ended?.sessionId === sessionId && wider.ended.how === 'superseded');
    assert.deepEqual((await store.sessions.get(wider.sessionId))?.scopes, ['offline_access', 'a', 'b']);
    const old = await store.sessions.get(sessionId);
    assert.deepEqual([old?.state, old?.nextSessionId], ['superseded', wider.sessionId]);
    assert.notEqual((await store.create({ clientId: 'other', scopes: ['a'] })).kind, 'live');
  });

  it('lets exactly one of a hundred racing ends win', async (t) => {
    const store = await newStore(t);
    const id = await store.linked();
    const ends = [
      () => store.sessions.reject(id, 1),
      async () => (await store.sessions.invalidate(id))?.ended,
      () => store.sessions.fail(id, 'internal_error', DETAIL),
      async () => (await store.sessions.click(click(id, 'decline'))).verdict === 'declined',
    ];
    const won = await Promise.all(Array.from({ length: 100 }, (_, i) => ends[i % ends.length]?.()));
    assert.equal(won.filter((result) => result === true).length, 1);
    const before = await store.sessions.get(id);
    await Promise.all(ends.map((end) => end()));
    assert.deepEqual(await store.sessions.get(id), before, 'an ended session never changes');
  });

  it('lets one of many clicks claim a link, and nobody but the user asked', async (t) => {
    const store = await newStore(t);
    const id = await store.created();
    assert.deepEqual(await store.sessions.click(click(id, 'authorize', 'ou_other')), {
      verdict: 'foreign',
      askedOpenId: USER,
    });
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => store.sessions.click(click(id, 'authorize'))));
    assert.equal(verdicts.filter(({ verdict }) => verdict === 'claimed').length, 1);
    assert.equal((await store.sessions.get(id))?.linkNumber, 1);
    assert.equal(await store.sessions.storeLink(id, link(2), 60_000), false, 'a link nobody claimed');
    assert.equal(await store.sessions.storeLink(id, link(1), 60_000), true);
    assert.equal(await store.sessions.storeLink(id, link(1), 60_000), false, 'never two stored');
    assert.equal((await store.sessions.click(click(id, 'authorize'))).verdict, 'link');
    assert.equal((await store.sessions.click(click(id, 'agreed'))).verdict, 'check');
  });

  it('refuses clicks that are provably old, whatever they want', async (t) => {
    const store = await newStore(t);
    const id = await store.created();
    const old = { ...click(id, 'decline'), createdAt: Date.now() - 7_200_000 };
    assert.equal((await store.sessions.click(old)).verdict, 'too_old');
    assert.equal((await store.sessions.click({ ...old, createdAt: Date.now() })).verdict, 'declined');
  });

  it('does not let expiry win over tokens that Feishu has given, or may be giving', async (t) => {
    const store = await newStore(t);
    const id = await store.linked(60_000, { ttlMs: 5_000 });
    // Near its end the session was extended to the link's life, once.
    assert.ok((await store.sessions.expire(id)).leftMs > 50_000);
    await store.redis.hset(store.keys.session(APP, id), 'expires_at', 1);
    await store.sessions.beginPoll(id, 1, 10_000);
    assert.ok((await store.sessions.expire(id)).leftMs > 0, 'a poll is under way');
    assert.equal(await store.vault.keep(id, 1, tokens()), 'kept');
    assert.ok((await store.sessions.expire(id)).leftMs > 0, 'tokens wait to be verified');
    const settled = await store.vault.settle({
      sessionId: id,
      openId: USER,
      grant: grantOf(['reports']),
      generation: 0,
      now: Date.now(),
      missingScopes: [],
      missingDetail: DETAIL,
      dueAt: null,
    });
    assert.equal(settled, 'done');
    assert.equal((await store.sessions.get(id))?.state, 'completed');
    assert.equal((await store.sessions.expire(id)).leftMs, -1);
  });

  it('gives an unresolved poll time to bring its tokens, then expires', async (t) => {
    const store = await newStore(t);
    const id = await store.linked();
    await store.redis.hset(store.keys.session(APP, id), 'expires_at', 1, 'poll_until', 1);
    const first = await store.sessions.expire(id);
    assert.ok(first.leftMs > 10_000 && first.leftMs <= 15_000);
    await store.redis.hset(store.keys.session(APP, id), 'grace_until', 1);
    assert.equal((await store.sessions.expire(id)).leftMs, 0);
  });

  it('drops tokens that come after she declined, and keeps none of them', async (t) => {
    const store = await newStore(t);
    const id = await store.linked();
    await store.sessions.click(click(id, 'decline'));
    assert.equal(await store.vault.keep(id, 1, tokens()), 'dropped');
    assert.equal(await store.vault.kept(id), null);
  });

  it('ends at the third wrong account and keeps nothing of it', async (t) => {
    const store = await newStore(t);
    const id = await store.created();
    for (const number of [1, 2, 3]) {
      await store.sessions.click(click(id, 'authorize'));
      await store.sessions.storeLink(id, link(number), 60_000);
      assert.equal(await store.vault.keep(id, number, tokens()), 'kept');
      assert.equal(await store.sessions.mismatch(id, DETAIL), number);
      assert.equal(await store.vault.kept(id), null);
    }
    const session = await store.sessions.get(id);
    assert.deepEqual([session?.state, session?.failureReason], ['failed', 'identity_mismatch']);
  });

  it('lets one update of a message run at a time, and none while a click is in hand', async (t) => {
    const store = await newStore(t);
    const id = await store.created();
    const first = await store.sessions.beginCard(id, 'a');
    assert.ok(first.kind === 'go');
    assert.equal((await store.sessions.beginCard(id, 'b')).kind, 'busy');
    const sent = { outcome: 'sent', version: 1, clicks: first.clicks, messageId: 'om_1' } as const;
    assert.equal(await store.sessions.endCard(id, 'a', sent), null);
    assert.equal((await store.sessions.beginCard(id, 'a')).kind, 'done');
    await store.sessions.click(click(id, 'decline'));
    assert.equal((await store.sessions.beginCard(id, 'a')).kind, 'held');
    assert.equal(await store.sessions.acked(id, 'click-1', 0), true, 'the ack showed no card: it is behind');
    assert.equal((await store.sessions.beginCard(id, 'a')).kind, 'go');
  });

  it('shows the state again after an update that crossed a click, or that nobody answered', async (t) => {
    const store = await newStore(t);
    const id = await store.created();
    await store.redis.hset(store.keys.session(APP, id), 'message_id', 'om_1');
    const begun = await store.sessions.beginCard(id, 'a');
    assert.ok(begun.kind === 'go');
    await store.sessions.click(click(id, 'authorize'));
    await store.sessions.acked(id, 'click-1', 1);
    const crossed = { outcome: 'patched', version: 1, clicks: begun.clicks } as const;
    assert.equal(await store.sessions.endCard(id, 'a', crossed), 0);

    const again = await store.sessions.beginCard(id, 'a');
    assert.ok(again.kind === 'go');
    const unanswered = { outcome: 'uncertain', version: 1, clicks: again.clicks } as const;
    assert.equal(await store.sessions.endCard(id, 'a', unanswered), 0);
    const third = await store.sessions.beginCard(id, 'a');
    assert.ok(third.kind === 'go');
    const late = await store.sessions.endCard(id, 'a', { outcome: 'patched', version: 1, clicks: third.clicks });
    assert.ok(late !== null && late > 5_000, 'once more, after the unanswered one can not be applied any more');
  });

  it('shows the state again when an update was answered between a click and the word that its ack has left', async (t) => {
    const store = await newStore(t);
    const id = await store.created();
    await store.redis.hset(store.keys.session(APP, id), 'message_id', 'om_1');
    const begun = await store.sessions.beginCard(id, 'a');
    assert.ok(begun.kind === 'go');
    await store.sessions.click(click(id, 'decline'));
    const patched = { outcome: 'patched', version: 1, clicks: begun.clicks } as const;
    assert.equal(await store.sessions.endCard(id, 'a', patched), 0);
    assert.equal(await store.sessions.acked(id, 'click-1', 2), true, 'the update may have gone over the ack');
    assert.equal((await store.sessions.beginCard(id, 'a')).kind, 'go');
  });

  it('sends another card when the one of a live session is gone, and none for a request nobody saw', async (t) => {
    const store = await newStore(t);
    const id = await store.created();
    const begun = await store.sessions.beginCard(id, 'a');
    assert.ok(begun.kind === 'go');
    const sent = { outcome: 'sent', version: 1, clicks: begun.clicks, messageId: 'om_1' } as const;
    await store.sessions.endCard(id, 'a', sent);
    await store.redis.hset(store.keys.session(APP, id), 'card_gone', 1);
    assert.deepEqual(await store.create(), { kind: 'live', sessionId: id, resend: true });
    const again = await store.sessions.beginCard(id, 'a');
    assert.ok(again.kind === 'go' && again.session.messageId === null && again.session.cards === 1);

    const unseen = await store.created({ openId: 'ou_unseen' });
    await store.sessions.invalidate(unseen);
    assert.deepEqual(await store.sessions.beginCard(unseen, 'a'), { kind: 'done', ended: true });
  });

  it('refuses a request that would make more than 50 scopes together with the live one', async (t) => {
    const store = await newStore(t);
    const scopes = (prefix: string) => Array.from({ length: 30 }, (_, i) => `${prefix}${i}`);
    const id = await store.created({ scopes: scopes('a') });
    assert.deepEqual(await store.create({ scopes: scopes('b') }), { kind: 'too_many' });
    assert.equal((await store.sessions.get(id))?.state, 'pending');
  });

  it('does not expire a session whose link she asked for in time', async (t) => {
    const store = await newStore(t);
    const id = await store.created();
    await store.sessions.click(click(id, 'authorize'));
    await store.redis.hset(store.keys.session(APP, id), 'expires_at', 1);
    assert.ok((await store.sessions.expire(id)).leftMs > 0);
    assert.equal(await store.sessions.storeLink(id, link(1), 60_000), true);
    assert.ok(((await store.sessions.get(id))?.expiresAt ?? 0) > Date.now(), 'the link extends it');
  });

  it('ends a replaced session whose tokens turn out to be of another account', async (t) => {
    const store = await newStore(t);
    const id = await store.linked();
    await store.vault.keep(id, 1, tokens());
    const wider = await store.created({ scopes: ['a', 'b'] });
    assert.equal((await store.sessions.get(id))?.state, 'authorizing', 'its tokens are being verified');
    assert.equal(await store.sessions.mismatch(id, DETAIL), 0);
    const old = await store.sessions.get(id);
    assert.deepEqual([old?.state, old?.nextSessionId], ['superseded', wider]);
  });

  it('offers a new link when kept tokens can not be verified, and leaves none of them', async (t) => {
    const store = await newStore(t);
    const id = await store.linked();
    await store.vault.keep(id, 1, tokens());
    await store.sessions.dropTokens(id);
    assert.equal((await store.sessions.get(id))?.linkState, 'dead');
    assert.equal(await store.vault.kept(id), null);
  });

  it('can still be asked, shown, listed and ended when its text is damaged', async (t) => {
    const store = await newStore(t);
    const id = await store.created({ reason: 'why' });
    await store.redis.hset(store.keys.session(APP, id), 'text', Buffer.from('rubbish').toString('base64'));
    assert.equal((await store.sessions.get(id))?.reason, null);
    assert.equal((await store.list({ appIds: [APP], clientId: null, limit: 10 })).sessions.length, 1);
    assert.equal((await store.create()).kind, 'live');
    assert.equal((await store.sessions.invalidate(id))?.ended, true);
  });

  it('tells a click on a lost session of its own from one of another store', async (t) => {
    const store = await newStore(t);
    const id = await store.created();
    await store.redis.set(`${store.keys.base(APP)}:message:om_1`, id);
    await store.redis.del(store.keys.session(APP, id));
    const clicked = { ...click(id, 'authorize'), messageId: 'om_1' };
    assert.equal((await store.sessions.click(clicked)).verdict, 'gone');
    assert.equal((await store.sessions.click({ ...clicked, messageId: 'om_2' })).verdict, 'unknown');
  });

  it('moves the message on when a session is restarted, and restarts once', async (t) => {
    const store = await newStore(t);
    const id = await store.created({ ttlMs: 1, reason: 'why', metadata: { a: 'b' } });
    await store.redis.hset(store.keys.session(APP, id), 'message_id', 'om_1', 'expires_at', 1);
    assert.equal((await store.sessions.expire(id)).leftMs, 0);
    const ended = await store.sessions.get(id);
    assert.ok(ended);
    const ids = await Promise.all(
      [1, 2, 3].map(() => store.sessions.restart(ended, newSessionId(APP, Date.now()), 60_000)),
    );
    assert.equal(new Set(ids).size, 1);
    const next = await store.sessions.get(ids[0] ?? '');
    assert.deepEqual(
      [next?.state, next?.linkState, next?.messageId, next?.reason, next?.metadata],
      ['authorizing', 'claimed', 'om_1', 'why', { a: 'b' }],
    );
    assert.equal((await store.sessions.beginCard(id, 'a')).kind, 'moved', 'the old session lets go of the message');
  });

  it('leaves nothing behind when it cleans up', async (t) => {
    const store = await newStore(t);
    const before = new Set(await store.redis.keys('*'));
    const id = await store.linked();
    await store.redis.hset(store.keys.session(APP, id), 'message_id', 'om_1');
    await store.sessions.click(click(id, 'decline'));
    assert.equal(await store.sessions.cleanup(APP, 60_000), 0, 'not old enough');
    assert.equal(await store.sessions.cleanup(APP, -1), 1);
    const lasting = (await store.redis.keys('*')).filter((key) => !before.has(key));
    for (const key of lasting) assert.notEqual(await store.redis.pttl(key), -1, `${key} stays for ever`);
  });

  it('lists newest first by user, client and state, with cursors', async (t) => {
    const store = await newStore(t);
    const ids: string[] = [];
    for (let i = 0; i < 7; i += 1) {
      ids.push(await store.created({ openId: `ou_${i}`, clientId: i % 2 ? 'b' : 'a' }));
      // Those of one millisecond have no order of time.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const filter = { appIds: [APP], clientId: null, limit: 3 };
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof store.list>> = await store.list(cursor ? { ...filter, cursor } : filter);
      seen.push(...page.sessions.map((session) => session.sessionId));
      cursor = page.nextCursor;
    } while (cursor !== null);
    assert.deepEqual(seen, [...ids].reverse());
    const ofB = await store.list({ ...filter, limit: 10, clientId: 'b' });
    assert.equal(ofB.sessions.length, 3);
    assert.equal((await store.list({ ...filter, openId: 'ou_3' })).sessions[0]?.sessionId, ids[3]);
    assert.equal((await store.list({ ...filter, state: 'completed' })).sessions.length, 0);
    await assert.rejects(() => store.list({ ...filter, cursor: 'nonsense' }), { code: 'invalid_request' });
  });
});
