/** What a code or a refusal at the redirect URI does to a session, over a real Redis. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createRedirectStore } from '../../src/store/redirect-store.js';
import { APP, click, DETAIL, newStore, tokens } from './new-store.js';

const HOLD_MS = 5_000;
const codeOf = (name: string) => ({
  code: `code-${name}`,
  codeVerifier: `verifier-${name}`,
  redirectUri: 'https://authd.example/callback',
  receivedAt: Date.now(),
});

async function scene(t: TestContext) {
  const store = await newStore(t);
  const redirects = createRedirectStore(store);
  const receive = async (id: string, name: string, number = 1) =>
    (await redirects.receiveCode(id, number, codeOf(name), HOLD_MS)).verdict;
  const linkOf = async (id: string) => {
    const link = (await store.sessions.get(id))?.link;
    if (link?.grant !== 'authorization_code') throw new Error('no link of the authorization code grant');
    return link;
  };
  return { ...store, redirects, receive, linkOf };
}

describe('a code that comes back', { concurrency: 4 }, () => {
  it('is taken also when the click that asked for the link was lost, and only once', async (t) => {
    const { created, linkOf, receive, sessions } = await scene(t);
    const id = await created();
    assert.equal(await receive(id, 'one'), 'taken');
    const session = await sessions.get(id);
    assert.deepEqual([session?.state, session?.linkState, session?.linkNumber], ['authorizing', 'live', 1]);
    assert.equal((await linkOf(id)).received?.code, 'code-one');
    assert.equal(await receive(id, 'one'), 'same');
    assert.equal(await receive(id, 'two'), 'busy');
  });

  it('is taken by the link that the click has claimed, and by no other number', async (t) => {
    const { created, receive, sessions } = await scene(t);
    const id = await created();
    await sessions.click(click(id, 'authorize'));
    assert.equal(await receive(id, 'one', 2), 'used');
    assert.equal(await receive(id, 'one', 1), 'taken');
  });

  it('lies sealed, and is gone once it was of no use; the link can be used again', async (t) => {
    const { created, keys, linkOf, receive, redirects, redis, sessions } = await scene(t);
    const id = await created();
    await receive(id, 'one');
    const values = JSON.stringify(await redis.hgetall(keys.session(APP, id)));
    assert.doesNotMatch(values, /code-one|verifier-one/);
    assert.equal(await redirects.dropCode(id, await linkOf(id), DETAIL), true);
    assert.equal(await redirects.dropCode(id, await linkOf(id), DETAIL), false);
    const session = await sessions.get(id);
    assert.deepEqual([session?.codeFailure, session?.link], [DETAIL, { ...(await linkOf(id)), received: null }]);
    assert.equal(await receive(id, 'one'), 'same');
    assert.equal(await receive(id, 'two'), 'taken');
    assert.equal((await sessions.get(id))?.codeFailure, null);
  });

  it('holds the end of its session up for as long as it may take, and no longer', async (t) => {
    const { created, redirects, sessions } = await scene(t);
    const id = await created({ ttlMs: 60 });
    await redirects.receiveCode(id, 1, codeOf('one'), 200);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok((await sessions.expire(id)).leftMs > 0);
    assert.equal((await sessions.beginPoll(id, 1, 1_000)).kind, 'poll', 'the end of the link is no reason to drop it');
  });

  it('finds the session ended, or used up by the tokens of an earlier one', async (t) => {
    const { created, receive, sessions, vault } = await scene(t);
    const declined = await created();
    await sessions.click(click(declined, 'decline'));
    assert.equal(await receive(declined, 'one'), 'ended');
    const settling = await created();
    await receive(settling, 'one');
    await vault.keep(settling, 1, tokens());
    assert.equal(await receive(settling, 'two'), 'used');
    assert.equal(await receive(settling, 'one'), 'same');
    await sessions.mismatch(settling, DETAIL);
    assert.equal(await receive(settling, 'two', 1), 'used', 'the link has brought its tokens');
    assert.equal(await receive(settling, 'two', 2), 'taken');
    assert.equal(await receive(`as_${APP.slice(4)}_${'f'.repeat(32)}`, 'one'), 'unknown');
    assert.equal(await receive('nonsense', 'one'), 'unknown');
  });
});

describe('a refusal that comes back', { concurrency: 4 }, () => {
  it('ends the session, by its own link only and not while a code is in hand', async (t) => {
    const { created, receive, redirects, sessions } = await scene(t);
    const id = await created();
    assert.equal((await redirects.refuseLink(id, 2)).verdict, 'used');
    assert.equal((await redirects.refuseLink(id, 1)).verdict, 'rejected');
    assert.equal((await sessions.get(id))?.state, 'rejected');
    assert.equal((await redirects.refuseLink(id, 1)).verdict, 'ended');
    const other = await created();
    await receive(other, 'one');
    assert.equal((await redirects.refuseLink(other, 1)).verdict, 'used');
  });
});
