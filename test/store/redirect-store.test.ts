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
  /** Brings codes that are of no use; says what became of each. */
  const bringUseless = async (id: string, names: readonly string[]) => {
    const verdicts: string[] = [];
    for (const name of names) {
      verdicts.push(await receive(id, name));
      await redirects.dropCode(id, await linkOf(id), DETAIL);
    }
    return verdicts;
  };
  const redisNow = async () => {
    const [seconds = 0, micros = 0] = (await store.redis.time()).map(Number);
    return seconds * 1000 + Math.floor(micros / 1000);
  };
  const fieldsOf = async (id: string, ...fields: string[]) =>
    await store.redis.hmget(store.keys.session(APP, id), ...fields);
  return { ...store, redirects, receive, linkOf, bringUseless, redisNow, fieldsOf };
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
    const { created, keys, receive, redis, sessions } = await scene(t);
    const id = await created();
    assert.equal(await receive(id, 'one'), 'taken');
    await redis.hset(keys.session(APP, id), 'expires_at', 1, 'link_expires_at', 1);
    assert.ok((await sessions.expire(id)).leftMs > 0);
    assert.equal((await sessions.beginPoll(id, 1, 1_000)).kind, 'poll', 'the end of the link is no reason to drop it');
  });

  it('is dated by the clock of Redis, and the date goes with it', async (t) => {
    const { created, fieldsOf, linkOf, receive, redirects, redisNow, sessions, vault } = await scene(t);
    const [dropped, kept, failed] = [
      await created(),
      await created({ openId: 'ou_2' }),
      await created({ openId: 'ou_3' }),
    ];
    for (const id of [dropped, kept, failed]) {
      const from = await redisNow();
      await receive(id, 'one');
      const at = (await linkOf(id)).received?.receivedAt ?? 0;
      assert.ok(at >= from && at <= (await redisNow()), `${from} ${at}`);
    }
    await redirects.dropCode(dropped, await linkOf(dropped), DETAIL);
    await vault.keep(kept, 1, tokens());
    await sessions.fail(failed, 'internal_error', DETAIL);
    for (const id of [dropped, kept, failed]) assert.deepEqual(await fieldsOf(id, 'code', 'code_at'), [null, null]);
  });

  it('is not taken after five useless ones in a minute, changes nothing then, and is taken after the minute', async (t) => {
    const { bringUseless, created, fieldsOf, keys, receive, redis } = await scene(t);
    const id = await created();
    assert.deepEqual(
      await bringUseless(id, ['1', '2', '3', '4', '5']),
      ['1', '2', '3', '4', '5'].map(() => 'taken'),
    );
    const before = await redis.hgetall(keys.session(APP, id));
    assert.deepEqual([await receive(id, 'hers'), await receive(id, 'hers')], ['limited', 'limited']);
    assert.deepEqual([await receive(id, '5'), await receive(id, '1')], ['same', 'useless']);
    assert.deepEqual(await redis.hgetall(keys.session(APP, id)), before);
    assert.equal(await receive(await created({ openId: 'ou_other' }), 'theirs'), 'taken');
    const [since] = await fieldsOf(id, 'useless_since');
    await redis.hset(keys.session(APP, id), 'useless_since', Number(since) - 60_000);
    assert.equal(await receive(id, 'hers'), 'taken');
  });

  it('counts useless ones of the last minute only', async (t) => {
    const { bringUseless, created, fieldsOf, keys, redis } = await scene(t);
    const id = await created();
    await bringUseless(id, ['1', '2', '3', '4']);
    const [since] = await fieldsOf(id, 'useless_since');
    await redis.hset(keys.session(APP, id), 'useless_since', Number(since) - 60_000);
    await bringUseless(id, ['5', '6', '7', '8']);
    assert.deepEqual(await fieldsOf(id, 'useless_count'), ['4']);
  });

  it('is held for as long as its next try may take, but not beyond its own life', async (t) => {
    const { created, fieldsOf, keys, linkOf, receive, redirects, redis, sessions } = await scene(t);
    const id = await created();
    await receive(id, 'one');
    await redis.hset(keys.session(APP, id), { expires_at: 1, link_expires_at: 1 });
    await redirects.holdCode(id, await linkOf(id), 60_000);
    const { leftMs } = await sessions.expire(id);
    assert.ok(leftMs > 50_000 && leftMs <= 60_000, `${leftMs}`);
    await redirects.holdCode(id, await linkOf(id), 1_000);
    assert.ok((await sessions.expire(id)).leftMs > 50_000, 'a hold is not made shorter');
    const [at] = await fieldsOf(id, 'code_at');
    await redis.hset(keys.session(APP, id), 'code_at', Number(at) - 200_000);
    await redirects.holdCode(id, await linkOf(id), 300_000);
    const capped = (await sessions.expire(id)).leftMs;
    assert.ok(capped > 90_000 && capped <= 100_000, `${capped}`);
    await redirects.dropCode(id, await linkOf(id), DETAIL);
    await redirects.holdCode(id, await linkOf(id), 60_000);
    assert.equal((await sessions.expire(id)).leftMs, 0, 'there is nothing to hold any more');
  });

  it('stays in hand when she clicks after the time of her session', async (t) => {
    const { created, keys, linkOf, receive, redis, sessions } = await scene(t);
    const id = await created();
    await receive(id, 'one');
    await redis.hset(keys.session(APP, id), { expires_at: 1, link_expires_at: 1 });
    assert.equal((await sessions.click(click(id, 'authorize'))).verdict, 'link');
    assert.equal((await sessions.click(click(id, 'agreed'))).verdict, 'check');
    assert.equal((await linkOf(id)).received?.code, 'code-one');
  });

  it('says once that its session has expired by it, as a refusal does', async (t) => {
    const { created, redirects } = await scene(t);
    const bring = async (id: string, refusal: boolean) => {
      const answer = refusal
        ? await redirects.refuseLink(id, 1)
        : await redirects.receiveCode(id, 1, codeOf('x'), HOLD_MS);
      return [answer.verdict, 'expiredNow' in answer && answer.expiredNow];
    };
    for (const refusal of [false, true]) {
      const id = await created({ ttlMs: 1 });
      await new Promise((resolve) => setTimeout(resolve, 5));
      assert.deepEqual(await bring(id, refusal), ['ended', true]);
      assert.deepEqual(await bring(id, refusal), ['ended', false]);
    }
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
